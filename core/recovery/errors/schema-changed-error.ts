import { ChronawflowError } from '../../errors';

/** DDL changed the slice's tables, keys or types after the restore was planned; the approved diff no longer fits. */
export class SchemaChangedError extends ChronawflowError {
  readonly code = 'SCHEMA_CHANGED';
  override readonly kind = 'refused';

  constructor(restoreId: string) {
    super(`The application's schema changed while restore ${restoreId} was under way; nothing was changed.`, {
      hint: 'Start the restore again once the migration is through.',
      details: { restoreId },
    });
  }
}
