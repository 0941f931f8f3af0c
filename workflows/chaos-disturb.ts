import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { injectionStep, methodStep } from '../core/chaos/step-names.pure';
import type {
  ActivityRun,
  ChaosRunInput,
  ChaosStepInput,
  PlannedFault,
  PlannedStep,
  PreparedChaos,
} from '../core/chaos/types';
import type { SignedIntent } from '../core/operators/intent/types';
import type { ChaosBoard } from './chaos-board';
import type { ChaosDesk } from './chaos-desk';
import type { Findings } from './chaos-findings';
import { once, repeated, rollback, waiting, watching } from './chaos-steps';
import { refusal } from './failures';

/** A person on a game day has so long for each step; then everything is rolled back. */
const CONFIRMATION_LIMIT_MS = 15 * 60_000;

/**
 * The faults' time: injected, the method run, then kept for their duration. Beside it somebody watches: when the experiment has
 * to stop, what runs here is cancelled.
 *
 * @param watches gets the watches that were begun, also when this fails; each ends soon after.
 */
export async function disturb(
  board: ChaosBoard,
  prepared: PreparedChaos,
  input: ChaosRunInput,
  step: ChaosStepInput,
  found: Findings,
  desk: ChaosDesk | undefined,
  watches: Promise<void>[],
): Promise<void> {
  const { taskQueue, faults, durationMs } = prepared;
  const confirm = async (what: string) => {
    if (!input.confirmEachStep) return undefined;
    if (await board.confirmation(what, CONFIRMATION_LIMIT_MS)) return desk?.confirmation;
    throw refusal('CONFIRMATION_EXPIRED', `Nobody confirmed '${what}' in time.`, 'Start the game day again.');
  };
  if (prepared.load)
    found.load = [
      await repeated(taskQueue, 'Load before the faults').applyLoad({ ...step, window: 'before' }),
    ];
  board.enter('injecting');
  const begun = faults.filter(({ after }) => after === undefined);
  const shown = (list: readonly PlannedFault[]) => list.map(({ driver, target }) => `${driver} on ${target}`);
  const confirmation = await confirm(injectionStep(begun));
  await inject(prepared, { ...step, confirmation }, begun);
  board.injected(shown(begun));
  board.enter('observing');
  const scope = new CancellationScope();
  try {
    await scope.run(async () => {
      if (begun.length > 0) watches.push(watchFaults(prepared, step, found, scope, begun));
      const load = prepared.load ? loadDuring(prepared, step) : undefined;
      await runSteps(
        taskQueue,
        'method',
        prepared.method,
        step,
        found.runs,
        confirm,
        async (name, confirmed) => {
          const staged = faults.filter(({ after }) => after === name);
          if (staged.length === 0) return;
          await inject(prepared, { ...step, confirmation: confirmed }, staged);
          board.injected(shown([...begun, ...staged]));
          watches.push(watchFaults(prepared, step, found, scope, staged));
        },
      );
      if (faults.length > 0) await Promise.all([sleep(durationMs), expect(prepared, step, found)]);
      if (load !== undefined) found.load?.push(await load);
      await confirm('roll back');
    });
  } catch (error) {
    if (!isCancellation(error) || found.abort === undefined) throw error;
  } finally {
    scope.cancel();
  }
}

/** What has to come true while the faults are there; they stay until it has, or until its time is over. */
async function expect(
  { taskQueue, duringMs }: PreparedChaos,
  step: ChaosStepInput,
  found: Findings,
): Promise<void> {
  if (duringMs === undefined) return;
  const steps = waiting(taskQueue, 'Wait for what the faults have to bring about', duringMs);
  found.during = await steps.expectDuring({ ...step, limitMs: duringMs });
}

/** @returns when it has ended, which is soon after the scope was cancelled or the faults were ended. */
async function watchFaults(
  { taskQueue, deadlineMs }: PreparedChaos,
  step: ChaosStepInput,
  found: Findings,
  scope: CancellationScope,
  faults: readonly PlannedFault[],
): Promise<void> {
  const summary = 'Renew the leases and watch the abort conditions';
  try {
    const abort = await watching(taskQueue, summary, deadlineMs + 60_000).watchFaults({ ...step, faults });
    if (scope.consideredCancelled) return;
    found.abort = abort;
    scope.cancel();
  } catch (error) {
    // Nobody renews any more, so the leases are about to end: the experiment with them.
    if (!isCancellation(error)) scope.cancel();
  }
}

function loadDuring({ taskQueue, durationMs, deadlineMs }: PreparedChaos, step: ChaosStepInput) {
  const summary = 'Load during the faults';
  return repeated(taskQueue, summary, deadlineMs + 60_000).applyLoad({
    ...step,
    window: 'during',
    durationMs,
  });
}

async function inject(
  { taskQueue, faults, deadlineMs }: PreparedChaos,
  step: ChaosStepInput,
  wanted: readonly PlannedFault[],
): Promise<void> {
  const injections = await Promise.allSettled(
    wanted.map((one) =>
      repeated(taskQueue, `Inject ${one.driver} into ${one.target}`).injectFault({
        ...step,
        fault: faults.indexOf(one),
        leaseId: one.leaseId,
        deadlineMs,
      }),
    ),
  );
  const failed = injections.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Activities in their order; those in the background beside the others, and waited for at the end. */
export async function runSteps(
  taskQueue: string,
  list: 'method' | 'rollbacks',
  steps: readonly PlannedStep[],
  input: ChaosStepInput,
  runs: ActivityRun[],
  confirm: (step: string) => Promise<SignedIntent | undefined> = async () => undefined,
  ended: (step: string, confirmation?: SignedIntent) => Promise<void> = async () => undefined,
): Promise<void> {
  const background: Promise<void>[] = [];
  const proxies = list === 'method' ? once : rollback;
  for (const [index, { name, type, background: beside, pauseBeforeMs, pauseAfterMs }] of steps.entries()) {
    const summary = methodStep({ type, name });
    const confirmation = await confirm(summary);
    const one = async () => {
      if (pauseBeforeMs > 0) await sleep(pauseBeforeMs);
      runs.push(
        await settled(
          proxies(taskQueue, summary).runChaosStep({ ...input, confirmation, list, index }),
          name,
          type,
        ),
      );
      if (pauseAfterMs > 0) await sleep(pauseAfterMs);
      await ended(name, confirmation);
    };
    if (beside) background.push(one());
    else await one();
  }
  await Promise.all(background);
}

/** A step that was lost with its worker is one that failed: the next ones, and the roll-back above all, go on. */
async function settled(run: Promise<ActivityRun>, name: string, type: string): Promise<ActivityRun> {
  const start = new Date();
  try {
    return await run;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return {
      activity: { name, type },
      status: 'failed',
      output: null,
      start: start.toISOString(),
      end: new Date().toISOString(),
      duration: (Date.now() - start.getTime()) / 1_000,
      exception: [error instanceof Error ? error.message : String(error)],
    };
  }
}
