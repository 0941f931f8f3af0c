import { chaosPart } from './chaos-part';
import type { CreateControlPart } from './control-part';
import { degradationPart } from './degradation-part';

/** What runs in the controllers' process. */
export const controlParts: readonly CreateControlPart[] = [
  degradationPart,
  (services) => chaosPart(services),
];
