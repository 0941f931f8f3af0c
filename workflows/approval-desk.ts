import { condition, defineUpdate, setHandler } from '@temporalio/workflow';
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
import { refusal } from './failures';

const approveUpdate = defineUpdate<ApprovalAnswer, [Approval]>(messageNames.approve);
const rejectUpdate = defineUpdate<ApprovalAnswer, [Rejection]>(messageNames.reject);

/** Takes approvals and rejections. What counts is decided in approval.pure.ts; this is its clock and its post box. */
export class ApprovalDesk {
  private current: ApprovalState = closedApproval;

  constructor(private readonly changed: () => void) {}

  /** From now on the updates are answered, with a refusal until there is something to decide. */
  answer(): void {
    setHandler(approveUpdate, (approval) => this.decide(approve(this.current, approval, Date.now())), {
      description: 'Approve the diff with this hash: {"diffHash": "…", "as": "name"}. Not by the requester.',
      validator: (approval) => {
        requireAccepted(approve(this.current, withTexts(approval, ['diffHash', 'as']), Date.now()));
      },
    });
    setHandler(rejectUpdate, (rejection) => this.decide(reject(this.current, rejection, Date.now())), {
      description: 'End the operation without any change: {"as": "name", "reason": "…"}.',
      validator: (rejection) => {
        requireAccepted(reject(this.current, withTexts(rejection, ['as', 'reason']), Date.now()));
      },
    });
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
