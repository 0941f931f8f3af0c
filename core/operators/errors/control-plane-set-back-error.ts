import { ChronawflowError } from '../../errors';

/** A witness has seen audit events that are not there: revoked operators and used nonces may be back. */
export class ControlPlaneSetBackError extends ChronawflowError {
  readonly code = 'CONTROL_PLANE_SET_BACK';
  override readonly kind = 'refused';

  constructor(witness: string, said: string) {
    super(`No intent is accepted: ${said}.`, {
      hint: 'If the control plane was restored on purpose, a root says so with `chronawflow operators re-anchor`: docs/operations/control-plane-backup.md.',
      details: { witness },
    });
  }
}
