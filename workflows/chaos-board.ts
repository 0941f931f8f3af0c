import { defineSearchAttributeKey } from '@temporalio/common';
import {
  condition,
  defineQuery,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { ChaosFacts, ChaosVerdict } from '../core/chaos/types';
import {
  type ChaosDecision,
  type ChaosPhase,
  type ChaosStatus,
  chaosCapability,
  chaosMessageNames,
} from './chaos-contract';
import type { ChaosDesk } from './chaos-desk';
import { searchAttributeNames } from './contract';
import { refusal, textOf } from './failures';

const statusQuery = defineQuery<ChaosStatus>(chaosMessageNames.status);
const approveUpdate = defineUpdate<ChaosStatus, [ChaosDecision]>(chaosMessageNames.approve);
const confirmUpdate = defineUpdate<ChaosStatus, [ChaosDecision]>(chaosMessageNames.confirm);

const capabilityKey = defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD');
const phaseKey = defineSearchAttributeKey(searchAttributeNames.phase, 'KEYWORD');
const outcomeKey = defineSearchAttributeKey(searchAttributeNames.outcome, 'KEYWORD');

/** What the world sees of a running experiment, and where people's decisions come in. */
export class ChaosBoard {
  private title: string | undefined;
  private phase: ChaosPhase = 'checking';
  private since = new Date();
  private faults: readonly string[] = [];
  private awaited: string | undefined;
  private approvedBy: string | undefined;
  private verdict: ChaosVerdict | undefined;
  private desk: ChaosDesk | undefined;
  readonly confirmations: ChaosFacts['confirmations'][number][] = [];

  constructor(private readonly requestedBy: string) {
    setHandler(statusQuery, () => this.status(), { description: 'Phase, faults, and what is waited for.' });
    setHandler(approveUpdate, (decision) => this.decide('approve', decision), {
      description: 'Let an experiment in production begin: {"as": "name"}. Not by the requester.',
      validator: (decision) => this.mayApprove(textOf(decision, 'as')),
    });
    setHandler(confirmUpdate, (decision) => this.decide('confirm', decision), {
      description: 'Let the next step of a game day begin: {"as": "name", "step": "the step that is shown"}.',
      validator: (decision) => this.mayConfirm(textOf(decision, 'as'), textOf(decision, 'step')),
    });
    this.show();
  }

  /** @param desk verifies decisions, where operators sign */
  identify(title: string, desk?: ChaosDesk): void {
    this.title = title;
    this.desk = desk;
    this.show();
  }

  enter(phase: ChaosPhase): void {
    if (phase === this.phase) return;
    this.phase = phase;
    this.since = new Date();
    this.show();
  }

  injected(faults: readonly string[]): void {
    this.faults = faults;
    this.show();
  }

  end(verdict: ChaosVerdict): void {
    this.verdict = verdict;
    this.faults = [];
    this.enter('done');
    this.show();
  }

  /** Waits for somebody other than the requester. @returns who it was, or undefined at the limit */
  async approval(limitMs: number): Promise<string | undefined> {
    this.enter('awaiting-approval');
    await condition(() => this.approvedBy !== undefined, limitMs);
    return this.approvedBy;
  }

  /** Waits until a person lets the step begin. @returns false at the limit */
  async confirmation(step: string, limitMs: number): Promise<boolean> {
    this.awaited = step;
    this.show();
    const confirmed = await condition(() => this.awaited === undefined, limitMs);
    this.awaited = undefined;
    this.show();
    return confirmed;
  }

  /** Signed decisions are verified before they count; meanwhile another one may have been first. */
  private decide(kind: 'approve' | 'confirm', decision: ChaosDecision): ChaosStatus | Promise<ChaosStatus> {
    const { desk, awaited: step } = this;
    if (desk === undefined) return kind === 'approve' ? this.approve(decision.as) : this.confirm(decision.as);
    return kind === 'approve'
      ? desk.approve(decision).then((people) => (people === undefined ? this.status() : this.approve(people)))
      : desk.confirm(decision, step).then(() => {
          this.mayConfirm(decision.as, step);
          return this.confirm(decision.as);
        });
  }

  private approve(as: string): ChaosStatus {
    this.approvedBy = as;
    this.show();
    return this.status();
  }

  private confirm(as: string): ChaosStatus {
    this.confirmations.push({ step: this.awaited ?? '', by: as, at: new Date().toISOString() });
    this.awaited = undefined;
    this.show();
    return this.status();
  }

  private mayApprove(as: string | undefined): void {
    if (this.phase !== 'awaiting-approval' || as === undefined)
      throw refusal('APPROVAL_CLOSED', 'There is nothing to approve now.', 'Look at the status.');
    if (as === this.requestedBy)
      throw refusal(
        'APPROVAL_BY_REQUESTER',
        `${as} asked for the experiment and cannot approve it.`,
        'Have somebody else approve it.',
      );
  }

  private mayConfirm(as: string | undefined, step: string | undefined): void {
    if (as === undefined || this.awaited === undefined || (step !== undefined && step !== this.awaited))
      throw refusal(
        'APPROVAL_CLOSED',
        `'${step ?? 'the next step'}' does not wait for a confirmation.`,
        'Look at the status: it shows the step that waits.',
      );
  }

  private status(): ChaosStatus {
    return {
      title: this.title,
      phase: this.phase,
      since: this.since.toISOString(),
      faults: this.faults,
      awaits: this.awaited,
      verdict: this.verdict,
      ...(this.desk === undefined ? {} : { request: this.desk.request }),
    };
  }

  private show(): void {
    upsertSearchAttributes([
      { key: capabilityKey, value: chaosCapability },
      { key: phaseKey, value: this.phase },
      ...(this.verdict === undefined ? [] : [{ key: outcomeKey, value: this.verdict }]),
    ]);
    const waits = this.awaited === undefined ? [] : [`Waits for a confirmation of: ${this.awaited}`];
    const faults = this.faults.map((fault) => `- ${fault}`);
    setCurrentDetails(
      [`**${this.title ?? 'Experiment'}**: ${this.verdict ?? this.phase}`, ...faults, ...waits].join('\n\n'),
    );
  }
}
