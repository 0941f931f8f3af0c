import { ChronawflowError } from '../../errors';

/** A core type keeps running for everybody: only a single tenant's may be held. */
export class CoreTypeHeldError extends ChronawflowError {
  readonly code = 'CORE_TYPE_HELD';
  override readonly kind = 'refused';

  constructor(types: readonly string[]) {
    super(`The core type ${types.join(', ')} is not held for all tenants.`, {
      hint: 'Name the tenant whose jobs are to be held: `--tenant`.',
      details: { types },
    });
  }
}
