import { ChronawflowError } from '../../errors';

/** No earlier answer is known for the key, or it is too old to be given again. */
export class NothingRememberedError extends ChronawflowError {
  readonly code = 'NOTHING_REMEMBERED';

  constructor(key: string, ageMs: number) {
    super(
      Number.isFinite(ageMs)
        ? `The last answer for '${key}' is ${Math.round(ageMs)} ms old, too old to be given again.`
        : `There is no earlier answer for '${key}'.`,
      { details: { key } },
    );
  }
}
