import { defineQuery, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { enterPhase, type PhaseClock, startClock, workingMs } from '../core/recovery/phase-clock.pure';
import type { RestorePhase, RestorePreview } from '../core/recovery/types';
import { ApprovalDesk } from './approval-desk';
import { messageNames, type OperationStatus } from './contract';
import { describeOperation } from './current-details';
import { showInSearch } from './search-attributes';

const statusQuery = defineQuery<OperationStatus>(messageNames.status);
const previewQuery = defineQuery<RestorePreview | null>(messageNames.preview);

/**
 * What the world sees of a running operation: phase, preview, approvals, freeze. The workflow moves it; the board shows
 * it in queries, in the Web UI's details and in the search attributes.
 */
export class OperationBoard {
  readonly approvals = new ApprovalDesk(() => this.show());
  private shown: RestorePreview | undefined;
  private freeze: { readonly at: string; readonly noticed: number; readonly ms?: number } | undefined;
  private clock: PhaseClock = startClock(Date.now());
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
    if (kind === 'restore' || kind === 'undo') this.approvals.answer();
    if (kind === 'restore' || kind === 'undo' || kind === 'drill') {
      setHandler(previewQuery, () => this.shown ?? null, {
        description: 'What the merge would do, with the hash to approve; null before the first preview.',
      });
    }
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

  private status(): OperationStatus {
    return {
      kind: this.kind,
      ...(this.restoreId === undefined ? {} : { restoreId: this.restoreId }),
      ...(this.tenant === undefined ? {} : { tenant: this.tenant }),
      phase: this.clock.phase,
      since: new Date(this.clock.since).toISOString(),
      ...(this.outcome === undefined ? {} : { outcome: this.outcome }),
      approval: this.approvals.state,
      frozen: this.frozen,
      steps: this.clock.steps,
      notices: this.notes,
    };
  }

  private show(): void {
    setCurrentDetails(describeOperation(this.status(), this.shown, this.workflowId));
  }
}
