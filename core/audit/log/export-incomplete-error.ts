import { ChronawflowError, messageOf } from '../../errors';

/** An export could not be written to its end. What is there has no checkpoint of the platform log, so it passes for nothing. */
export class ExportIncompleteError extends ChronawflowError {
  readonly code = 'EXPORT_INCOMPLETE';

  constructor(directory: string, cause: unknown) {
    super(`the export to ${directory} is not complete: ${messageOf(cause)}`, {
      cause,
      hint: 'Remove what is there, make room, and export again: the log has not changed by it.',
      details: { directory },
    });
  }
}
