import { Context } from '@temporalio/activity';
import { methodStep, runActivity } from '../core/chaos';
import { RollbackFailedError } from '../core/chaos/errors';
import type { ActivityRun, ChaosStepInput } from '../core/chaos/types';
import { InvalidInputError } from '../core/errors';
import { verifyChaosStep, verifyPermitted } from './chaos-intents';
import { openExperiment } from './chaos-run';
import type { ChaosServices } from './chaos-services';

/** With the pauses of workflows/chaos-steps.ts more than a minute: what it leads to may be being started again. */
const ROLLBACK_ATTEMPTS = 12;

/**
 * One step of the method, or one of the experiment's own rollbacks. A rollback that fails is tried again, and so is one that was
 * lost with its worker; what comes of the last attempt is its entry in the journal.
 *
 * @throws RollbackFailedError while it is worth another attempt
 */
export async function runChaosStep(
  services: ChaosServices,
  input: ChaosStepInput & { readonly list: 'method' | 'rollbacks'; readonly index: number },
  signal: AbortSignal,
): Promise<ActivityRun> {
  const { experiment, context } = await openExperiment(services, input, signal);
  const activity = experiment[input.list][input.index];
  if (activity === undefined)
    throw new InvalidInputError(`The experiment has no ${input.list} ${input.index}.`);
  if (input.list === 'method') await verifyChaosStep(services, input, methodStep(activity));
  else await verifyPermitted(services, input);
  const run = await runActivity(activity, context);
  const again = input.list === 'rollbacks' && Context.current().info.attempt < ROLLBACK_ATTEMPTS;
  if (run.status === 'failed' && again)
    throw new RollbackFailedError(activity.name, run.exception?.[0] ?? '');
  return run;
}
