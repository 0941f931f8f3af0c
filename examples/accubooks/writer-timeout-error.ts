import { ChronawflowError } from '../../core/errors';

/** A writer did not reach the awaited state within the caller's limit. */
export class WriterTimeoutError extends ChronawflowError {
  readonly code = 'WRITER_TIMEOUT';

  constructor(organisationId: string, limitMs: number, stats: object) {
    super(
      `the writer of organisation ${organisationId} did not get there in ${limitMs} ms: ${JSON.stringify(stats)}`,
      {
        hint: 'Look at pg_stat_activity for what blocks it, or give a longer limit.',
        details: { organisationId, limitMs, stats },
      },
    );
  }
}
