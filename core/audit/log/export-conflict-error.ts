import { ChronawflowError } from '../../errors';

/** An export does not go with what is in its place. Nothing was written over. */
export class ExportConflictError extends ChronawflowError {
  readonly code = 'EXPORT_CONFLICT';
  override readonly retryable = false;

  constructor(path: string, what = 'is there with other bytes than this export has') {
    super(`${path} ${what}`, {
      hint: 'Keep both: either the log or what was exported was changed, or another log was exported there. `chronawflow audit verify`, with and without --directory, says which.',
      details: { path },
    });
  }
}
