import { ChronawflowError } from '../../errors';

/** Another containment has the resource; each is undone to what was before it, so they do not overlap. */
export class ContainmentConflictError extends ChronawflowError {
  readonly code = 'CONTAINMENT_CONFLICT';
  override readonly kind = 'refused';

  constructor(resource: string, by: string) {
    super(`${resource} is contained already, by ${by}.`, {
      hint: `See \`chronawflow contain list\`; release that one first: \`chronawflow contain release ${by}\`.`,
      details: { resource, by },
    });
  }
}
