import { ChronawflowError } from '../../errors';

/** No escalation, or no silence, of that ID. */
export class EscalationNotFoundError extends ChronawflowError {
  readonly code = 'ESCALATION_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(id: string) {
    super(`There is no escalation or silence ${id}.`, {
      hint: '`chronawflow escalation list --all` shows all.',
      details: { id },
    });
  }
}
