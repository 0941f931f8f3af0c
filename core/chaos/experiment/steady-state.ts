import { setTimeout as sleep } from 'node:timers/promises';
import type { Activity, Experiment } from './experiment';
import { type RunContext, runActivity } from './run-activity';
import type { ActivityRun, SteadyState } from './types';

/** Runs the probes of the hypothesis in their order, up to the first that is not within its tolerance. */
export async function steadyState(
  { hypothesis }: Pick<Experiment, 'hypothesis'>,
  context: RunContext,
): Promise<SteadyState> {
  const probes: ActivityRun[] = [];
  for (const probe of hypothesis?.probes ?? []) {
    const run = await runActivity(probe, context);
    probes.push(run);
    if (run.tolerance_met !== true) return { steady_state_met: false, probes };
  }
  return { steady_state_met: true, probes };
}

const LOOK_EVERY_MS = 1_000;

/** Asks each second until every probe has once been within its tolerance, or the time is over. At least one look is made. */
export async function comesTrue(
  probes: readonly Activity[],
  context: RunContext,
  limitMs: number,
): Promise<SteadyState> {
  const last = new Map<Activity, ActivityRun>();
  const limit = performance.now() + limitMs;
  for (;;) {
    const missing = probes.filter((probe) => last.get(probe)?.tolerance_met !== true);
    await Promise.all(missing.map(async (probe) => last.set(probe, await runActivity(probe, context))));
    const steady_state_met = probes.every((probe) => last.get(probe)?.tolerance_met === true);
    if (steady_state_met || performance.now() >= limit)
      return { steady_state_met, probes: probes.flatMap((probe) => last.get(probe) ?? []) };
    await sleep(LOOK_EVERY_MS, undefined, { signal: context.signal });
  }
}
