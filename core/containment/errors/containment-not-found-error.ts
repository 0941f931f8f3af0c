import { ChronawflowError } from '../../errors';

/** No containment of that ID was ever started. */
export class ContainmentNotFoundError extends ChronawflowError {
  readonly code = 'CONTAINMENT_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(id: string) {
    super(`There is no containment ${id}.`, {
      hint: '`chronawflow contain list --all` shows all.',
      details: { id },
    });
  }
}
