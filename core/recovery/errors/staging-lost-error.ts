import { ChronawflowError } from '../../errors';

/** The database server crashed since staging and emptied the unlogged staging tables; they have to be filled again. */
export class StagingLostError extends ChronawflowError {
  readonly code = 'STAGING_LOST';
  override readonly retryable = true;

  constructor(restoreId: string, table: string) {
    super(
      `The staging of ${table} for restore ${restoreId} is not complete any more; the server was probably restarted.`,
      {
        hint: 'The restore stages it again by itself; nothing was changed.',
        details: { restoreId, table },
      },
    );
  }
}
