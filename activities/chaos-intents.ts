import {
  checkExperiment,
  type Experiment,
  experimentHash,
  injectionStep,
  methodStep,
  runParameters,
  scheduleOwner,
  scheduleParameters,
  tenantOfExperiment,
} from '../core/chaos';
import type { ChaosRunInput, ChaosStepInput, SignedChaosDecision } from '../core/chaos/types';
import {
  consentTo,
  type Demand,
  type Expected,
  type IntentVerifier,
  parseIntent,
  sha256OfIntent,
} from '../core/operators';
import { ChaosPermits } from './chaos-permits';
import { chaosSection, executionOf } from './chaos-run';
import type { ChaosServices } from './chaos-services';
import { refuseOtherName } from './recovery-intents';

/** What experiments demand of who asks for them, where operators sign. Inputs of steps may come from anybody who reaches Temporal. */

/** How many others have to sign: in production, by the policy of this host's configuration. */
export function approvalsNeeded(services: ChaosServices, { policy }: IntentVerifier): number {
  return chaosSection(services).mode === 'production' ? policy.fourEyes.chaos : 0;
}

/** Of the first step: the whole request, as it came. */
export async function verifyChaosRequest(services: ChaosServices, input: ChaosRunInput): Promise<void> {
  const { intents } = services;
  if (intents === undefined) return;
  const { workflowId } = executionOf();
  const { schedule, experiment, intent: signed } = input;
  const parameters =
    schedule === undefined ? runParameters(workflowId, input) : scheduleParameters(schedule, experiment);
  const expected = { action: 'chaos.run', ...scopeOf(experiment), parameters } as const;
  const { request } = await intents.verifyAlone({ signed, expected, owner: ownerOf(signed) });
  refuseOtherName(request.operator.name, input.requestedBy, 'An experiment');
}

/** One person's approval or confirmation, before it counts. */
export async function verifyChaosDecision(
  { intents }: ChaosServices,
  { run, experiment, decision }: ChaosStepInput & { readonly decision: SignedChaosDecision },
): Promise<void> {
  if (intents === undefined) return;
  const expected =
    decision.kind === 'approve'
      ? consentTo(run.intent, tenantOf(experiment))
      : confirmationOf(experiment, decision.step ?? '');
  const { request } = await intents.verifyAlone({
    signed: decision.intent,
    expected,
    owner: ownerOf(run.intent),
  });
  refuseOtherName(request.operator.name, decision.as, 'A decision');
}

/**
 * What a step that disturbs has to show, in full: the request, enough consents, and on a game day the confirmation of the step.
 *
 * @param step undefined for what a game day does not ask for
 */
export async function demandsOf(
  services: ChaosServices,
  intents: IntentVerifier,
  { run, experiment, confirmation }: ChaosStepInput,
  step: string | undefined,
): Promise<readonly Demand[]> {
  const { workflowId } = executionOf();
  const owner = ownerOf(run.intent);
  const hash = experimentHash(experiment);
  const request: Demand = {
    signed: run.intent,
    owner,
    expected: {
      action: 'chaos.run',
      ...scopeOf(experiment),
      parameters: (asked) =>
        asked.experimentSha256 === hash &&
        asked.dryRun !== true &&
        (asked.schedule !== undefined || asked.workflowId === workflowId),
    },
    approvals: {
      signed: run.approvals ?? [],
      expected: consentTo(run.intent, tenantOf(experiment)),
      needed: approvalsNeeded(services, intents),
    },
  };
  const gameDay = run.intent && parseIntent(run.intent.intent)?.parameters.confirmEachStep === true;
  if (!gameDay || step === undefined) return [request];
  return [request, { signed: confirmation, owner, expected: confirmationOf(experiment, step) }];
}

/** Before a step that disturbs. @param step as a game day names it */
export async function verifyChaosStep(
  services: ChaosServices,
  input: ChaosStepInput,
  step: string | undefined,
): Promise<void> {
  const { intents } = services;
  if (intents === undefined) return;
  for (const demand of await demandsOf(services, intents, input, step)) await intents.verifyAlone(demand);
  await permitsOf(services).give(executionOf().execution, experimentHash(input.experiment));
}

/**
 * Before a step that looks or takes back: one that was verified when it disturbed goes on whatever has become of its operators
 * or of the control plane.
 */
export async function verifyPermitted(services: ChaosServices, input: ChaosStepInput): Promise<void> {
  if (services.intents === undefined || (await isPermitted(services, input))) return;
  await verifyChaosStep(services, input, undefined);
}

export function isPermitted(
  services: ChaosServices,
  { experiment }: Pick<ChaosStepInput, 'experiment'>,
): Promise<boolean> {
  return permitsOf(services).has(executionOf().execution, experimentHash(experiment));
}

/** What a game day asks for before a fault: the injection of all that come first, or the step that the fault comes after. */
export function injectionOf({ chaos, method }: Experiment, fault: number): string {
  const after = chaos.faults[fault]?.after;
  const step = after === undefined ? undefined : method.find(({ name }) => name === after);
  return step === undefined
    ? injectionStep(chaos.faults.filter((one) => one.after === undefined))
    : methodStep(step);
}

function permitsOf(services: ChaosServices): ChaosPermits {
  return new ChaosPermits(chaosSection(services).directory);
}

function confirmationOf(experiment: ChaosRunInput['experiment'], step: string): Expected {
  const { workflowId } = executionOf();
  return { action: 'chaos.confirm', ...scopeOf(experiment), parameters: { workflowId, step } };
}

/** This execution, which neither a reset nor a second run of the name is; of a schedule's intent, the schedule. */
function ownerOf(intent: unknown): string {
  const { execution } = executionOf();
  const text: unknown = Reflect.get(Object(intent), 'intent');
  const asked = typeof text === 'string' ? parseIntent(text) : undefined;
  const name: unknown = Reflect.get(Object(asked?.parameters.schedule), 'name');
  if (typeof text !== 'string' || typeof name !== 'string') return `chaos/${execution}`;
  return scheduleOwner(name, sha256OfIntent({ intent: text, signature: '' }));
}

function tenantOf(experiment: ChaosRunInput['experiment']): string | undefined {
  return tenantOfExperiment(checkExperiment(experiment));
}

function scopeOf(experiment: ChaosRunInput['experiment']): { readonly tenant?: string } {
  const tenant = tenantOf(experiment);
  return tenant === undefined ? {} : { tenant };
}
