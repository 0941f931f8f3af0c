import { ChronawflowError } from '../../errors';

/** No restore has this ID in the application's database. */
export class RestoreNotFoundError extends ChronawflowError {
  readonly code = 'RESTORE_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(restoreId: string) {
    super(`There is no restore ${restoreId}.`, {
      hint: 'List restores with `chronawflow recovery status`.',
      details: { restoreId },
    });
  }
}
