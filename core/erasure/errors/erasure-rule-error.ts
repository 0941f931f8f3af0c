import { ChronawflowError } from '../../errors';

/** A rule of `erasure.tables` does not fit the database. */
export class ErasureRuleError extends ChronawflowError {
  readonly code = 'ERASURE_RULE';
  override readonly kind = 'refused';

  constructor(table: string, reason: string) {
    super(`Erased people cannot be found in ${table}: ${reason}.`, {
      hint: 'Correct erasure.tables; a restore to before a column was renamed needs a rule for the old name while it runs.',
      details: { table },
    });
  }
}
