import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
import type { SignedIntent } from '../core/operators/intent/types';
import {
  type ApprovalState,
  approve,
  closedApproval,
  type Decision,
  expire,
  type OpenApproval,
  openApproval,
  reject,
} from '../core/recovery/approval.pure';
import { type Approval, type ApprovalAnswer, messageNames, type Rejection } from './contract';
import type { DecisionCheck } from './decision-check';
import { refusal } from './failures';

const approveUpdate = defineUpdate<ApprovalAnswer, [Approval]>(messageNames.approve);
const rejectUpdate = defineUpdate<ApprovalAnswer, [Rejection]>(messageNames.reject);

/** Takes approvals and rejections. What counts is decided in approval.pure.ts; this is its clock and its post box. */
export class ApprovalDesk {
  private current: ApprovalState = closedApproval;
  private check: DecisionCheck | undefined;
  private readonly intents: { readonly diffHash: string; readonly intent: SignedIntent }[] = [];

  constructor(private readonly changed: () => void) {}

  /** From now on the updates are answered, with a refusal until there is something to decide. */
  answer(): void {
    setHandler(
      approveUpdate,
      (approval) => (this.check ? this.approveSigned(approval, this.check) : this.approve(approval)),
      {
        description:
          'Approve the diff with this hash: {"diffHash": "…", "as": "name"}. Not by the requester.',
        validator: (approval) => {
          requireAccepted(approve(this.current, withTexts(approval, ['diffHash', 'as']), Date.now()));
          if (this.check) intentOf(approval);
        },
      },
    );
    setHandler(
      rejectUpdate,
      (rejection) => (this.check ? this.rejectSigned(rejection, this.check) : this.reject(rejection)),
      {
        description: 'End the operation without any change: {"as": "name", "reason": "…"}.',
        validator: (rejection) => {
          requireAccepted(reject(this.current, withTexts(rejection, ['as', 'reason']), Date.now()));
          if (this.check) intentOf(rejection);
        },
      },
    );
  }

  /** From now on decisions need a signature, and count once this has found it good. */
  verifyWith(check: DecisionCheck): void {
    this.check = check;
  }

  /** The signed approvals of this diff, for the merge to verify. */
  intentsFor(diffHash: string): readonly SignedIntent[] {
    return this.intents.filter((one) => one.diffHash === diffHash).map(({ intent }) => intent);
  }

  get state(): ApprovalState {
    return this.current;
  }

  get approvedBy(): readonly string[] {
    return this.current.kind === 'approved' ? this.current.approvedBy : [];
  }

  /** Approvals given for this hash in an earlier round still count; those for another one are forgotten. */
  isApproved(diffHash: string): boolean {
    return this.current.kind === 'approved' && this.current.diffHash === diffHash;
  }

  open(request: Omit<OpenApproval, 'kind' | 'approvedBy'>): ApprovalState {
    this.current = openApproval(request);
    this.changed();
    return this.current;
  }

  /** Waits until the state is no longer the one seen, at most until the deadline. */
  async next(seen: ApprovalState): Promise<ApprovalState> {
    const remaining = seen.kind === 'open' ? seen.deadline - Date.now() : 0;
    if (remaining > 0) await condition(() => this.current !== seen, remaining);
    this.current = expire(this.current, Date.now());
    return this.current;
  }

  private approve(approval: Approval): ApprovalAnswer {
    return this.decide(approve(this.current, approval, Date.now()));
  }

  private reject(rejection: Rejection): ApprovalAnswer {
    return this.decide(reject(this.current, rejection, Date.now()));
  }

  private async approveSigned(approval: Approval, check: DecisionCheck): Promise<ApprovalAnswer> {
    const { diffHash, as } = approval;
    const intent = intentOf(approval);
    await check({ kind: 'approve', diffHash, as }, intent);
    const answer = this.approve(approval);
    this.intents.push({ diffHash, intent });
    return answer;
  }

  private async rejectSigned(rejection: Rejection, check: DecisionCheck): Promise<ApprovalAnswer> {
    const { as, reason } = rejection;
    await check({ kind: 'reject', as, reason }, intentOf(rejection));
    return this.reject(rejection);
  }

  private decide(decision: Decision): ApprovalAnswer {
    this.current = requireAccepted(decision);
    this.changed();
    const state = this.current;
    return state.kind === 'open'
      ? { approvedBy: state.approvedBy, missing: state.needed - state.approvedBy.length }
      : { approvedBy: this.approvedBy, missing: 0 };
  }
}

function requireAccepted(decision: Decision): ApprovalState {
  if (decision.kind === 'accepted') return decision.state;
  throw refusal(decision.refusal.code, decision.refusal.message, decision.refusal.hint);
}

/** Its shape only; whether it is good is verified by the activity. Bounded, because it stays in the history. */
function intentOf({ intent }: Approval | Rejection): SignedIntent {
  const sound =
    typeof intent?.intent === 'string' &&
    typeof intent.signature === 'string' &&
    intent.intent.length + intent.signature.length <= 20_000;
  if (sound) return intent;
  throw refusal(
    'INTENT_MISSING',
    'Operators sign here: this decision has no signed intent.',
    'Use the command line or the SDK with a key: CHRONAWFLOW_OPERATOR_KEY.',
  );
}

/** Updates can come from any client: an argument of another shape is refused before it enters the history. */
function withTexts<T extends object>(message: T, fields: readonly (keyof T & string)[]): T {
  for (const field of fields) {
    if (typeof message !== 'object' || message === null || typeof message[field] !== 'string') {
      throw refusal(
        'INVALID_INPUT',
        `The message needs the text \`${field}\`.`,
        'Send one JSON object with it.',
      );
    }
  }
  return message;
}
