import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  ContinueAsNew,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  isCancellation,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { resourceOf } from '../core/containment/plan.pure';
import type {
  ContainmentInput,
  ContainmentOutcome,
  ContainmentReport,
  OpenContainment,
} from '../core/containment/types';
import {
  type ContainmentRelease,
  type ContainmentStatus,
  containmentMessageNames,
} from './containment-contract';
import { step, undoStep } from './containment-steps';
import { codeOf, refusal } from './failures';
import { showContainment } from './show-containment';

const releaseUpdate = defineUpdate<ContainmentStatus, [ContainmentRelease]>(containmentMessageNames.release);
const statusQuery = defineQuery<ContainmentStatus>(containmentMessageNames.status);

/** A third of the lease: two renewals may be lost. */
const RENEWALS_PER_LEASE = 3;

/** Whoever releases waits for the answer; the containment's own time goes on. */
const RELEASE_LIMIT_MS = 30_000;

/** Of a release, because it stays in the history. */
const MOST_CHARACTERS = 20_000;

/**
 * Keeps a failure from going further for a time: applies each part of a strategy, holds it by renewing its leases, and undoes all
 * of it when the time is over, somebody releases it, or it is cancelled. When the workflow itself is lost, the leases end what
 * it applied.
 */
export async function containment(input: ContainmentInput): Promise<ContainmentReport> {
  const run = new Run(input);
  // Short, and written down before anything is done: a cancellation takes effect after it.
  const opened = await CancellationScope.nonCancellable(() =>
    step('Check the request and write down its parts').prepareContainment(input),
  );
  run.opened(opened);
  let ending: Ending;
  try {
    await run.apply(opened);
    ending = await run.hold(opened);
  } catch (error) {
    // Runs from before this patch undid everything where they had to go on in a new run.
    if (error instanceof ContinueAsNew && patched('containment-continues')) throw error;
    ending = { outcome: isCancellation(error) ? 'cancelled' : 'failed', error };
  }
  return CancellationScope.nonCancellable(() => run.undo(opened, ending));
}

interface Ending {
  readonly outcome: ContainmentOutcome;
  readonly by?: string;
  readonly error?: unknown;
}

class Run {
  private status: ContainmentStatus;
  private release: ContainmentRelease | undefined;
  private closing = false;
  private containment: OpenContainment | undefined;

  constructor(private readonly input: ContainmentInput) {
    this.status = { target: input.target, phase: 'starting', notices: [] };
    setHandler(statusQuery, () => this.status, { description: 'What is contained, and how far it is.' });
    setHandler(releaseUpdate, (by) => this.releaseBy(by), {
      description: 'Undo everything now; answers when it is undone.',
      validator: (by) => this.mayRelease(by),
    });
    showContainment(this.input, this.status);
  }

  opened(containment: OpenContainment): void {
    this.containment = containment;
    this.show({ id: containment.id, phase: 'applying' });
  }

  async apply(containment: OpenContainment): Promise<void> {
    let applied = 0;
    let last: unknown;
    for (const part of containment.parts) {
      if (this.release !== undefined) return;
      try {
        await step(`Apply ${resourceOf(part)}`).applyContainmentPart({
          containment,
          part,
          input: this.input,
        });
        applied += 1;
      } catch (error) {
        if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
        last = error;
        this.note(`${resourceOf(part)} could not be applied (${codeOf(error)})`);
      }
    }
    // Nothing of it holds: then it is no containment, and whoever asked has to hear it.
    if (applied === 0 && last !== undefined) throw last;
    this.show({ phase: 'holding' });
  }

  /** Until the time is over, or somebody releases it. */
  async hold({ id, leaseMs, endsInMs }: OpenContainment): Promise<Ending> {
    let leftMs = endsInMs - (Date.now() - workflowInfo().runStartTime.getTime());
    while (leftMs > 0) {
      const pauseMs = Math.max(1, Math.min(leftMs, leaseMs / RENEWALS_PER_LEASE));
      if (await condition(() => this.release !== undefined, pauseMs)) break;
      const renewal = await this.renew(id, leaseMs);
      if (renewal === undefined) {
        leftMs -= pauseMs;
        continue;
      }
      if (renewal.kind === 'over') break;
      if (renewal.kind === 'superseded') return { outcome: 'superseded', by: renewal.by };
      leftMs = renewal.endsInMs;
      if (workflowInfo().continueAsNewSuggested && this.release === undefined) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof containment>(this.input);
      }
    }
    return this.release === undefined ? { outcome: 'expired' } : { outcome: 'released', by: this.release.as };
  }

  async undo(containment: OpenContainment, ending: Ending): Promise<ContainmentReport> {
    this.show({ phase: 'undoing' });
    for (const part of [...containment.parts].reverse()) {
      try {
        await undoStep(`Undo ${resourceOf(part)}`).undoContainmentPart({ containment, part });
      } catch (error) {
        if (!(error instanceof ActivityFailure)) throw error;
        this.note(`${resourceOf(part)} could not be undone (${codeOf(error)}); its lease has ended it`);
      }
    }
    const report: ContainmentReport = {
      id: containment.id,
      outcome: ending.outcome,
      ...(ending.by === undefined ? {} : { by: ending.by }),
      parts: containment.parts.map(resourceOf),
      notices: this.status.notices,
    };
    await undoStep('Close the record').finishContainment({ containment, input: this.input, report });
    this.closing = true;
    this.show({ phase: 'done', outcome: ending.outcome });
    await condition(allHandlersFinished);
    if (ending.error !== undefined) throw ending.error;
    return report;
  }

  /** Undefined when no renewal went through within the lease: a database or the worker is away, and the next one tries again. */
  private async renew(id: string, leaseMs: number) {
    try {
      const renewal = await step('Renew the leases', leaseMs).renewContainment(id);
      if (renewal.kind === 'held') this.show({ notices: renewal.failed });
      return renewal;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      if (error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true) throw error;
      return undefined;
    }
  }

  private async releaseBy(by: ContainmentRelease): Promise<ContainmentStatus> {
    const { containment } = this;
    if (containment?.signed)
      await step('Verify the signature of the release', RELEASE_LIMIT_MS).releaseContainment({
        id: containment.id,
        release: by,
      });
    this.release ??= by;
    await condition(() => this.closing);
    return this.status;
  }

  private mayRelease(by: ContainmentRelease): void {
    if (typeof by?.as !== 'string' || by.as === '')
      throw refusal('INVALID_INPUT', 'Say who releases it.', 'chronawflow contain release <id> --as <name>');
    if (JSON.stringify(by).length > MOST_CHARACTERS)
      throw refusal('INVALID_INPUT', 'The release says too much.', 'Shorten its reason.');
    if (this.containment === undefined)
      throw refusal('CONTAINMENT_STARTING', 'It is being written down.', 'Try again in a moment.');
    if (this.release !== undefined || this.closing)
      throw refusal(
        'CONTAINMENT_ENDING',
        'It is being undone already.',
        'Wait for it: `chronawflow contain list`.',
      );
  }

  private note(text: string): void {
    this.show({ notices: [...this.status.notices, text] });
  }

  private show(change: Partial<ContainmentStatus>): void {
    this.status = { ...this.status, ...change };
    showContainment(this.input, this.status);
  }
}
