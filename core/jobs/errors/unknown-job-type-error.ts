import { closest } from 'fastest-levenshtein';
import { ChronawflowError } from '../../errors';

/** Nobody registered a job of this type here. */
export class UnknownJobTypeError extends ChronawflowError {
  readonly code = 'UNKNOWN_JOB_TYPE';
  override readonly kind = 'usage';

  constructor(type: string, known: readonly string[]) {
    super(`There is no job type '${type}'.`, {
      hint:
        known.length === 0
          ? 'Name the modules with your jobs under `jobs.modules` in chronawflow.yaml, or give them to connect({ jobs }).'
          : `Did you mean '${closest(type, [...known])}'?`,
      details: { type, known: known.slice(0, 20) },
    });
  }
}
