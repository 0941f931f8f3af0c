import { chaosPart } from './chaos-part';
import { containmentPart } from './containment-part';
import type { CreateControlPart } from './control-part';
import { degradationPart } from './degradation-part';
import { escalationPart } from './escalation-part';

/** What runs in the controllers' process. */
export const controlParts: readonly CreateControlPart[] = [
  degradationPart,
  containmentPart,
  escalationPart,
  (services) => chaosPart(services),
];
