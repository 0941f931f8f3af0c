import {
  ChaosRefusedError,
  ChaosRunStore,
  checkTargets,
  controlPlaneFacts,
  countFaults,
  describePlan,
  type Experiment,
  firstThatHolds,
  methodRoomMs,
  type OwnDoing,
  plannedFaults,
  plannedSteps,
  type RunContext,
  refusals,
  safetyPlan,
  tenantFacts,
} from '../core/chaos';
import { parseChaosInput } from '../core/chaos/run-input';
import type { PreparedChaos } from '../core/chaos/types';
import { approvalsNeeded, verifyChaosRequest } from './chaos-intents';
import { chaosSection, executionOf, openExperiment } from './chaos-run';
import type { ChaosServices } from './chaos-services';

/** Checks input, allow-list and rules of safety; injects nothing. @throws what stands against the experiment */
export async function prepareChaos(
  services: ChaosServices,
  input: unknown,
  signal: AbortSignal,
): Promise<PreparedChaos> {
  const request = parseChaosInput(input);
  const chaos = chaosSection(services);
  const { host, intents } = services;
  await verifyChaosRequest(services, request);
  const { experiment, context } = await openExperiment(services, request, signal);
  checkTargets(host, experiment, context.values);
  await refuseIfUnsafe(services, experiment, context);
  const { workflowId, execution } = executionOf();
  const faults = plannedFaults(experiment, execution);
  const store = new ChaosRunStore(services.platform);
  if (!request.dryRun)
    await store.begin(
      workflowId,
      experiment.title,
      faults.map(({ driver }) => driver),
      request,
    );
  const { duration: durationMs, within } = experiment.chaos;
  const { during } = experiment;
  const stayMs = during.length === 0 ? durationMs : Math.max(durationMs, within);
  const needed = intents === undefined ? 1 : approvalsNeeded(services, intents);
  return {
    title: experiment.title,
    taskQueue: services.taskQueue,
    faults,
    method: plannedSteps(experiment.method, context.values),
    rollbacks: plannedSteps(experiment.rollbacks, context.values),
    durationMs,
    ...(during.length === 0 ? {} : { duringMs: within }),
    deadlineMs: Math.min(
      chaos.maxDuration,
      request.confirmEachStep ? chaos.maxDuration : stayMs + methodRoomMs(experiment.method, context.values),
    ),
    recoveryMs: experiment.chaos.recovery,
    hasHypothesis: experiment.hypothesis !== undefined,
    needsApproval:
      chaos.mode === 'production' && (intents === undefined || (request.approvals ?? []).length < needed),
    ...(intents === undefined ? {} : { signed: { approvals: needed } }),
    load: experiment.chaos.load !== undefined,
    plan: describePlan(experiment, host),
  };
}

/** Asked again right before the injection: an approval may have taken hours. @throws ChaosRefusedError */
export async function refuseIfUnsafe(
  services: ChaosServices,
  experiment: Experiment,
  context: RunContext,
  own: OwnDoing = { experiment: executionOf().workflowId, tenants: [] },
): Promise<void> {
  const chaos = chaosSection(services);
  const plan = safetyPlan(experiment, chaos, services.host.host);
  const [plane, tenants, { residual }, condition] = await Promise.all([
    controlPlaneFacts(services.platform, own),
    tenantFacts(services.application, services.config.tenancy, experiment.chaos.tenants),
    countFaults(services.host.journal),
    firstThatHolds(chaos.refuseWhen, context, services.platform),
  ]);
  const conditions = condition === undefined ? [] : [condition];
  const found = refusals(plan, { ...plane, ...tenants, residual, conditions });
  const [first] = found;
  if (first === undefined) return;
  throw new ChaosRefusedError(
    first.rule,
    `The experiment '${experiment.title}' does not start: ${found.map(({ message }) => message).join('; ')}.`,
    'Wait until that is over, or make the experiment smaller.',
  );
}
