import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import type {
  EscalationInput,
  EscalationPlan,
  EscalationReport,
  EscalationState,
  EscalationStep,
} from '../core/escalation/types';
import { type Acknowledgement, type EscalationStatus, escalationMessageNames } from './escalation-contract';
import { deliver, record } from './escalation-steps';
import { codeOf, refusal } from './failures';
import { showEscalation } from './show-escalation';

const fireSignal = defineSignal(escalationMessageNames.fire);
const resolveSignal = defineSignal(escalationMessageNames.resolve);
const acknowledgeUpdate = defineUpdate<EscalationStatus, [Acknowledgement]>(
  escalationMessageNames.acknowledge,
);
const statusQuery = defineQuery<EscalationStatus>(escalationMessageNames.status);

/**
 * A silence may be ended before its time, so it is looked at again: after this, or a share of what is left of a long one, which
 * keeps the history short.
 */
const SILENCE_LOOK_MS = 20_000;
const SILENCE_LOOKS = 200;

/** How long is waited for what is only told for courtesy. */
const COURTESY_MS = 2 * 60_000;

/**
 * Tells people that something is wrong, level by level, until somebody takes it or it is over. It ends when the alert is
 * resolved, or when the highest level was told as often as it shall be and nobody has answered.
 */
export async function escalation(alert: EscalationInput): Promise<EscalationReport> {
  const run = new Run(alert);
  const plan = await record('Write the escalation down').openEscalation(alert);
  run.opened(plan);
  let state: EscalationState;
  try {
    state = await run.follow(plan);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    state = 'cancelled';
  }
  const report = await CancellationScope.nonCancellable(() => run.end(plan, state));
  // It fired again while this run came to its end: whoever told of it has been answered, and does not tell again for hours.
  if (state === 'resolved' && run.fires) await continueAsNew<typeof escalation>(alert);
  return report;
}

/** How far it is to tell one level. */
interface Telling {
  readonly reached: number;
  /** Channels that are still tried. */
  readonly open: number;
  readonly ended: Promise<void>;
}

class Run {
  private status: EscalationStatus = { state: 'open', level: 0, times: 0, silenced: false, notices: [] };
  private resolved = false;
  private shown = '';

  constructor(private readonly alert: EscalationInput) {
    setHandler(statusQuery, () => this.status, { description: 'Who was told, and who has taken it.' });
    setHandler(
      fireSignal,
      () => {
        // What fires again before its end was noticed is not over.
        this.resolved = false;
        this.show({ times: this.status.times + 1 });
      },
      { description: 'The alert fires, once more.' },
    );
    setHandler(
      resolveSignal,
      () => {
        this.resolved = true;
      },
      { description: 'The alert does not fire any more.' },
    );
    setHandler(
      acknowledgeUpdate,
      ({ as }) => {
        this.show({ state: 'acknowledged', by: as });
        return this.status;
      },
      { description: 'Take it: nobody more is told.', validator: (by) => this.mayAcknowledge(by) },
    );
    this.shown = showEscalation(this.alert, this.status, this.shown);
  }

  opened({ id, steps }: EscalationPlan): void {
    this.show({ id, ...(steps.length === 0 ? { state: 'noted' as const } : {}) });
  }

  async follow(plan: EscalationPlan): Promise<EscalationState> {
    if (plan.steps.length === 0) return 'noted';
    for (let round = 0; ; round += 1) {
      const answered = await this.climb(plan, round);
      if (this.resolved) return 'resolved';
      if (!answered) return 'unanswered';
      // It was over for a moment, and fires again: nobody has taken it.
      if (this.status.state !== 'acknowledged') continue;
      await record('Note who has taken it').noteEscalation(this.report(plan, 'acknowledged'));
      await this.courtesy(plan, 'acknowledged');
      if (await condition(() => this.resolved, plan.acknowledgedForMs)) return 'resolved';
      this.note(`taken by ${this.status.by} and not resolved: raised again`);
      this.show({ state: 'open' });
    }
  }

  async end(plan: EscalationPlan, state: EscalationState): Promise<EscalationReport> {
    this.show({ state });
    if (state === 'resolved') await this.courtesy(plan, 'resolved');
    const report = this.report(plan, state);
    await record('Close the record').noteEscalation(report);
    await condition(allHandlersFinished);
    return report;
  }

  /** @returns whether somebody has taken it, or it is over */
  private async climb(plan: EscalationPlan, round: number): Promise<boolean> {
    const pages: Promise<void>[] = [];
    for (const [index, step] of plan.steps.entries()) {
      await this.awaitSilence();
      if (this.answered) return true;
      this.show({ level: step.level });
      const telling = this.tell(plan, step, round * plan.steps.length + index);
      pages.push(telling.ended);
      // The level's time begins when the first of it is told. When nobody of it can be told, the next one need not wait.
      await condition(() => telling.reached > 0 || telling.open === 0 || this.answered, step.waitMs);
      if (telling.reached > 0) await condition(() => this.answered, step.waitMs);
      if (this.answered) return true;
    }
    // Pages of the last levels may still be on their way.
    let over = false;
    void Promise.all(pages).then(() => {
      over = true;
    });
    await condition(() => over || this.answered);
    return this.answered;
  }

  /** Tells a level by all its channels at once, each for itself, until somebody answers. */
  private tell({ id }: EscalationPlan, step: EscalationStep, number: number): Telling {
    const scope = new CancellationScope();
    const telling = { reached: 0, open: step.channels, ended: Promise.resolve() };
    const one = async (channel: number) => {
      try {
        const ref = { id, step: number, level: step.level, channel };
        await deliver(`Tell ${step.name} (${channel + 1} of ${step.channels})`, step.waitMs).page({
          ref,
          alert: this.alert,
        });
        telling.reached += 1;
      } catch (error) {
        if (isCancellation(error)) return;
        this.note(`${step.name} could not be told by channel ${channel + 1} (${codeOf(error)})`);
      } finally {
        telling.open -= 1;
      }
    };
    const channels = Array.from({ length: step.channels }, (_, channel) => channel);
    telling.ended = scope.run(() => Promise.all(channels.map(one))).then(() => undefined);
    // What is still tried has become pointless with an answer.
    void condition(() => this.answered || telling.open === 0).then(
      () => this.answered && scope.cancel(),
      () => undefined,
    );
    return telling;
  }

  private async awaitSilence(): Promise<void> {
    for (;;) {
      const ms = await record('See whether it is silenced').silencedFor(this.alert);
      this.show({ silenced: ms > 0 });
      if (
        ms <= 0 ||
        (await condition(() => this.answered, Math.min(ms, Math.max(SILENCE_LOOK_MS, ms / SILENCE_LOOKS))))
      )
        return;
    }
  }

  private async courtesy({ id }: EscalationPlan, kind: 'acknowledged' | 'resolved'): Promise<void> {
    if (this.status.level === 0) return;
    try {
      await deliver(`Tell that it is ${kind}`, COURTESY_MS).tellEnd({ id, kind, alert: this.alert });
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.note(`not everybody could be told that it is ${kind} (${codeOf(error)})`);
    }
  }

  get fires(): boolean {
    return !this.resolved;
  }

  private get answered(): boolean {
    return this.resolved || this.status.state === 'acknowledged';
  }

  private report({ id }: EscalationPlan, state: EscalationState): EscalationReport {
    const { by, level, times } = this.status;
    return { id, state, level, times, ...(by === undefined ? {} : { by }) };
  }

  private mayAcknowledge(by: Acknowledgement): void {
    if (typeof by?.as !== 'string' || by.as === '' || by.as.length > 200)
      throw refusal('INVALID_INPUT', 'Say who takes it.', 'chronawflow escalation ack <id> --as <name>');
    if (this.status.state !== 'open' && this.status.state !== 'acknowledged')
      throw refusal('ESCALATION_ENDED', `It is ${this.status.state} already.`, 'chronawflow escalation list');
  }

  private note(text: string): void {
    this.show({ notices: [...this.status.notices.slice(-20), text] });
  }

  private show(change: Partial<EscalationStatus>): void {
    this.status = { ...this.status, ...change };
    this.shown = showEscalation(this.alert, this.status, this.shown);
  }
}
