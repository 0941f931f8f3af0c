import { ChronawflowError } from '../../errors';

/** What is to be disturbed, probed or called is not in the allow-list `chaos.targets` of this host. Nothing was done. */
export class TargetNotAllowedError extends ChronawflowError {
  readonly code = 'CHAOS_TARGET_NOT_ALLOWED';
  override readonly kind = 'refused';

  constructor(what: string, reason: string) {
    super(`${what} is not allowed: ${reason}`, {
      hint: 'Allow it under chaos.targets in chronawflow.yaml of the host that has it, or change the experiment.',
      details: { target: what },
    });
  }
}
