import { CancellationScope, isCancellation, patched, sleep, workflowInfo } from '@temporalio/workflow';
import type {
  ChaosFacts,
  ChaosReport,
  ChaosRunInput,
  ChaosRunRef,
  ChaosStepInput,
  PreparedChaos,
  SteadyState,
} from '../core/chaos/types';
import { ChaosBoard } from './chaos-board';
import { ChaosDesk } from './chaos-desk';
import { disturb, runSteps } from './chaos-disturb';
import type { Findings } from './chaos-findings';
import { check, cleanUpFaults, repeated } from './chaos-steps';
import { codeOf, refusal, textOf } from './failures';

/** Who approves production is asked for so long. */
const APPROVAL_LIMIT_MS = 24 * 3_600_000;

/** Since when the watches are waited for after a failure, too; runs begun before report beside their last look. */
const AFTER_LAST_LOOK = 'report-after-last-look';

/**
 * Injects faults and looks whether the steady state holds. Promises: nothing is injected before everything is checked; however
 * it ends, every fault is ended in a scope that no cancellation reaches, and its end is proved. That also holds when this
 * workflow does not come so far: the leases end by themselves.
 */
export async function chaosExperiment(input: ChaosRunInput): Promise<ChaosReport> {
  const requestedBy = textOf(input, 'requestedBy') ?? '';
  const board = new ChaosBoard(requestedBy);
  const found: Findings = {
    verdict: 'failed',
    startedAt: new Date().toISOString(),
    faults: [],
    runs: [],
    rollbacks: [],
    confirmations: board.confirmations,
  };
  const prepared = await check('Check the experiment').prepareChaos(input);
  const run = { runId: workflowInfo().workflowId, requestedBy };
  const desk = deskOf(prepared, input, run);
  board.identify(prepared.title, desk);
  const step: ChaosStepInput = {
    run: desk === undefined ? run : { ...run, intent: input.intent, approvals: desk.approvals },
    experiment: input.experiment,
  };
  if (input.dryRun) {
    found.verdict = 'dry-run';
  } else {
    try {
      await experiment(board, prepared, input, step, found, desk);
    } catch (error) {
      found.verdict = isCancellation(error) ? 'aborted' : 'failed';
      if (!isCancellation(error)) found.error = { code: codeOf(error), message: messageOf(error) };
    }
  }
  return CancellationScope.nonCancellable(async () => {
    const report = await cleanUpFaults(prepared.taskQueue, 'Write the report').finishChaos({
      ...step,
      request: input,
      facts: found,
      ...(input.dryRun ? { plan: prepared.plan } : {}),
    });
    board.end(found.verdict);
    return report;
  });
}

/** Where operators sign; what they consent to is in every step's input from then on. */
function deskOf(prepared: PreparedChaos, input: ChaosRunInput, run: ChaosRunRef): ChaosDesk | undefined {
  const { signed, taskQueue } = prepared;
  if (signed === undefined) return undefined;
  const { experiment: document, intent, approvals } = input;
  return new ChaosDesk(
    taskQueue,
    { run: { ...run, intent, approvals }, experiment: document },
    signed.approvals,
  );
}

async function experiment(
  board: ChaosBoard,
  prepared: PreparedChaos,
  input: ChaosRunInput,
  step: ChaosStepInput,
  found: Findings,
  desk: ChaosDesk | undefined,
): Promise<void> {
  if (prepared.needsApproval) {
    found.approvedBy = await board.approval(APPROVAL_LIMIT_MS);
    if (found.approvedBy === undefined)
      throw refusal('APPROVAL_EXPIRED', 'Nobody approved the experiment in time.', 'Ask for it again.');
  }
  if (prepared.hasHypothesis) {
    board.enter('steady-state');
    found.before = await repeated(prepared.taskQueue, 'Steady state before').checkSteadyState(step);
    if (!found.before.steady_state_met) {
      found.verdict = 'not-steady';
      return;
    }
  }
  let failure: unknown;
  const watches: Promise<void>[] = [];
  try {
    await disturb(board, prepared, input, step, found, desk, watches);
  } catch (error) {
    failure = error;
  }
  await CancellationScope.nonCancellable(async () => {
    try {
      await rollBack(board, prepared, step, found);
    } catch (error) {
      failure = error;
    }
    if (failure === undefined || patched(AFTER_LAST_LOOK)) await Promise.all(watches);
  });
  if (failure !== undefined) throw failure;
  found.verdict = verdictOf(found);
}

/** Faults first, then the experiment's own rollbacks, then the question whether all is as before. */
async function rollBack(
  board: ChaosBoard,
  prepared: PreparedChaos,
  step: ChaosStepInput,
  found: Findings,
): Promise<void> {
  const { taskQueue, faults, rollbacks } = prepared;
  board.enter('rolling-back');
  let unended: unknown;
  if (faults.length > 0) {
    try {
      found.faults.push(...(await cleanUpFaults(taskQueue, 'End the faults').endFaults({ ...step, faults })));
    } catch (error) {
      // Nobody could even look; what the method has broken is put back all the same.
      if (!patched('rollbacks-after-unended-faults')) throw error;
      unended = error;
      // What cannot be looked at counts as there.
      const still = { from: '', to: '', injected: true, endedBy: '', reason: messageOf(error) };
      found.faults.push(...faults.map((fault) => ({ ...fault, ...still })));
    }
  }
  board.injected([]);
  await runSteps(taskQueue, 'rollbacks', rollbacks, step, found.rollbacks);
  if (unended !== undefined) throw unended;
  if (prepared.hasHypothesis) {
    board.enter('recovering');
    const begun = Date.now();
    found.after = await steadyAgain(prepared, step, begun);
    if (found.after.steady_state_met) found.recoveredAfterMs = Date.now() - begun;
  }
  if (prepared.load)
    found.load?.push(
      await repeated(taskQueue, 'Load after the faults').applyLoad({ ...step, window: 'after' }),
    );
}

async function steadyAgain(
  prepared: PreparedChaos,
  step: ChaosStepInput,
  begun: number,
): Promise<SteadyState> {
  for (;;) {
    const state = await repeated(prepared.taskQueue, 'Steady state after').checkSteadyState(step);
    if (state.steady_state_met || Date.now() - begun >= prepared.recoveryMs) return state;
    await sleep(1_000);
  }
}

function verdictOf(found: Findings): ChaosFacts['verdict'] {
  if (found.faults.some(({ endedBy }) => endedBy === '')) return 'failed';
  if (found.abort !== undefined) return 'aborted';
  if (found.after?.steady_state_met === false || found.during?.steady_state_met === false) return 'deviated';
  const failed = found.runs.find(({ activity, status }) => activity.type === 'action' && status === 'failed');
  if (failed === undefined) return 'passed';
  found.error = {
    code: 'CHAOS_ACTIVITY_FAILED',
    message: `${failed.activity.name}: ${failed.exception?.[0] ?? ''}`,
  };
  return 'failed';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? messageOf(error.cause) : error.message;
}
