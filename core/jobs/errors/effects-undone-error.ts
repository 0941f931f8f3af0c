import { ChronawflowError } from '../../errors';
import type { JobRef } from '../types';

/** A restore took effects of this job back; whether they are done again is decided with them in view. */
export class EffectsUndoneError extends ChronawflowError {
  readonly code = 'EFFECTS_UNDONE';
  override readonly kind = 'refused';

  constructor({ tenant, type, key }: JobRef) {
    super(
      `Effects of job ${type} ${key} of tenant ${tenant} were undone by a restore, and nobody has decided.`,
      {
        hint: '`chronawflow jobs undone redrive` does its undone steps again, `jobs undone leave` leaves them undone.',
        details: { tenant, type, key },
      },
    );
  }
}
