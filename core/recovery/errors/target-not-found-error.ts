import { ChronawflowError } from '../../errors';

/** A recovery point, transaction or timeline of this name does not exist in what can be restored. */
export class TargetNotFoundError extends ChronawflowError {
  readonly code = 'TARGET_NOT_FOUND';
  override readonly kind = 'usage';

  constructor(target: string, reason: string) {
    super(`the target ${target} was not found: ${reason}`, {
      hint: '`chronawflow recovery points` lists recovery points and the restorable window.',
      details: { target },
    });
  }
}
