import type { Experiment } from './experiment';
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
