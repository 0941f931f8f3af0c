import type { CreateControlPart } from './control-part';

/** What runs in the controllers' process. */
export const controlParts: readonly CreateControlPart[] = [];
