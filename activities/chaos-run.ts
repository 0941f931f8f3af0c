import { Context } from '@temporalio/activity';
import type { ChaosConfig } from '../config';
import {
  callProvider,
  checkExperiment,
  type Experiment,
  experimentValues,
  type RunContext,
} from '../core/chaos';
import type { ChaosStepInput } from '../core/chaos/types';
import { InvalidInputError } from '../core/errors';
import type { ChaosServices } from './chaos-services';

/** The experiment of a step, and what its probes and actions run with: read anew each time, so that no secret is kept. */
export async function openExperiment(
  services: ChaosServices,
  { experiment: document }: Pick<ChaosStepInput, 'experiment'>,
  signal: AbortSignal,
): Promise<{ readonly experiment: Experiment; readonly context: RunContext }> {
  const experiment = checkExperiment(document);
  const { targets } = services.host;
  const read = await experimentValues(experiment, process.env, (provider, values) =>
    callProvider(provider, values, { targets, signal }),
  );
  return { experiment, context: { ...read, targets, signal } };
}

/** @throws InvalidInputError without the section `chaos` */
export function chaosSection({ config }: Pick<ChaosServices, 'config'>): ChaosConfig {
  if (config.chaos !== undefined) return config.chaos;
  throw new InvalidInputError('The configuration has no section `chaos`, so no experiment runs here.');
}

/** What names this execution: the workflow's ID may come again, its run's does not. */
export function executionOf(): { readonly workflowId: string; readonly execution: string } {
  const { workflowExecution } = Context.current().info;
  const workflowId = workflowExecution?.workflowId ?? 'chaos/none';
  return { workflowId, execution: `${workflowId}/${workflowExecution?.runId ?? ''}` };
}
