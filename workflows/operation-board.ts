import {
  condition,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
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
import { enterPhase, type PhaseClock, startClock, workingMs } from '../core/recovery/phase-clock.pure';
import type { RestorePhase, RestorePreview } from '../core/recovery/types';
import {
  type Approval,
  type ApprovalAnswer,
  messageNames,
  type OperationStatus,
  type Rejection,
} from './contract';
import { describeOperation } from './current-details';
import { refusal } from './failures';
import { showInSearch } from './search-attributes';

const approveUpdate = defineUpdate<ApprovalAnswer, [Approval]>(messageNames.approve);
const rejectUpdate = defineUpdate<ApprovalAnswer, [Rejection]>(messageNames.reject);
const statusQuery = defineQuery<OperationStatus>(messageNames.status);
const previewQuery = defineQuery<RestorePreview | null>(messageNames.preview);

/**
 * What the world sees of a running operation and can say to it: phase, preview, approvals. The workflow moves it; the
 * board shows it in queries, in the Web UI's details and in the search attributes.
 */
export class OperationBoard {
  private shown: RestorePreview | undefined;
  private freeze: { readonly at: string; readonly noticed: number; readonly ms?: number } | undefined;
  private clock: PhaseClock = startClock(Date.now());
  private approval: ApprovalState = closedApproval;
  private restoreId: string | undefined;
  private outcome: OperationStatus['outcome'];
  private readonly notes: string[] = [];

  constructor(
    private readonly kind: OperationStatus['kind'],
    private tenant?: string,
  ) {
    setHandler(statusQuery, () => this.status(), {
      description: 'Phase, approvals, and time by step.',
    });
    if (kind === 'restore' || kind === 'undo') this.takeApprovals();
    showInSearch({ tenant, phase: this.clock.phase });
    this.show();
  }

  get notices(): readonly string[] {
    return this.notes;
  }

  get preview(): RestorePreview | undefined {
    return this.shown;
  }

  get frozen(): boolean {
    return this.freeze !== undefined && this.freeze.ms === undefined;
  }

  /** How long the tenant could not write; undefined when it was not frozen. */
  get frozenMs(): number | undefined {
    return this.freeze?.ms;
  }

  get workflowId(): string {
    return workflowInfo().workflowId;
  }

  get startedAt(): number {
    return this.clock.startedAt;
  }

  get steps(): PhaseClock['steps'] {
    return this.clock.steps;
  }

  get approvedBy(): readonly string[] {
    return this.approval.kind === 'approved' ? this.approval.approvedBy : [];
  }

  identify(restoreId: string, tenant = this.tenant): void {
    this.restoreId = restoreId;
    if (tenant !== this.tenant) showInSearch({ tenant });
    this.tenant = tenant;
    this.show();
  }

  enter(phase: RestorePhase): void {
    if (this.clock.phase === phase) return;
    this.clock = enterPhase(this.clock, phase, Date.now());
    showInSearch({ phase });
    this.show();
  }

  showPreview(preview: RestorePreview): void {
    this.shown = preview;
    this.show();
  }

  tenantFroze(at: string): void {
    this.freeze = { at, noticed: Date.now() };
    this.show();
  }

  /** `at`: when the merge opened the gate, by the clock that dated the freeze; else it is open now. */
  tenantWrites(at?: string): void {
    if (this.freeze === undefined || this.freeze.ms !== undefined) return;
    const ms =
      at === undefined ? Date.now() - this.freeze.noticed : Date.parse(at) - Date.parse(this.freeze.at);
    this.freeze = { ...this.freeze, ms };
    this.show();
  }

  /** Whether a freeze was begun, also when it is not known how far it got. */
  get freezeBegun(): boolean {
    return this.clock.phase === 'freezing' || this.clock.steps.some((step) => step.phase === 'freezing');
  }

  workingMs(): number {
    return workingMs(this.clock, Date.now());
  }

  note(text: string): void {
    this.notes.push(text);
    this.show();
  }

  end(outcome: NonNullable<OperationStatus['outcome']>): void {
    this.outcome = outcome;
    this.enter('done');
    showInSearch({ outcome });
    this.show();
  }

  /** Approvals given for this hash in an earlier round still count; those for another one are forgotten. */
  isApproved(diffHash: string): boolean {
    return this.approval.kind === 'approved' && this.approval.diffHash === diffHash;
  }

  openApproval(request: Omit<OpenApproval, 'kind' | 'approvedBy'>): void {
    this.approval = openApproval(request);
    this.enter('awaiting-approval');
    this.show();
  }

  /** Waits for the next decision, at most until the deadline; what it returns is the approval's state then. */
  async nextDecision(seen: ApprovalState): Promise<ApprovalState> {
    const remaining = seen.kind === 'open' ? seen.deadline - Date.now() : 0;
    if (remaining > 0) await condition(() => this.approval !== seen, remaining);
    this.approval = expire(this.approval, Date.now());
    return this.approval;
  }

  get approvalState(): ApprovalState {
    return this.approval;
  }

  private takeApprovals(): void {
    setHandler(previewQuery, () => this.shown ?? null, {
      description: 'What the merge would do, with the hash to approve; null before the first preview.',
    });
    setHandler(approveUpdate, (approval) => this.decide(approve(this.approval, approval, Date.now())), {
      description: 'Approve the diff with this hash: {"diffHash": "…", "as": "name"}. Not by the requester.',
      validator: (approval) => {
        requireAccepted(approve(this.approval, withTexts(approval, ['diffHash', 'as']), Date.now()));
      },
    });
    setHandler(rejectUpdate, (rejection) => this.decide(reject(this.approval, rejection, Date.now())), {
      description: 'End the operation without any change: {"as": "name", "reason": "…"}.',
      validator: (rejection) => {
        requireAccepted(reject(this.approval, withTexts(rejection, ['as', 'reason']), Date.now()));
      },
    });
  }

  private decide(decision: Decision): ApprovalAnswer {
    this.approval = requireAccepted(decision);
    this.show();
    return this.approval.kind === 'open'
      ? {
          approvedBy: this.approval.approvedBy,
          missing: this.approval.needed - this.approval.approvedBy.length,
        }
      : { approvedBy: this.approvedBy, missing: 0 };
  }

  private status(): OperationStatus {
    return {
      kind: this.kind,
      ...(this.restoreId === undefined ? {} : { restoreId: this.restoreId }),
      ...(this.tenant === undefined ? {} : { tenant: this.tenant }),
      phase: this.clock.phase,
      since: new Date(this.clock.since).toISOString(),
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
      approval: this.approval,
      frozen: this.frozen,
      steps: this.clock.steps,
      notices: this.notes,
    };
  }

  private show(): void {
    setCurrentDetails(describeOperation(this.status(), this.shown, this.workflowId));
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
