import { ChronawflowError } from '../../errors';

/** A request wants to do with fewer approvals than the configuration demands. */
export class ApprovalsBelowPolicyError extends ChronawflowError {
  readonly code = 'APPROVALS_BELOW_POLICY';
  override readonly kind = 'refused';

  constructor(asked: number, policy: number) {
    super(`The request asks for ${asked} approvals; recovery.approvals demands ${policy}.`, {
      hint: 'Leave --approvals out, or ask for more; the policy is changed in the configuration of the workers.',
      details: { asked, policy },
    });
  }
}
