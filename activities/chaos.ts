import { askedBy, recordAuditEvent } from '../core/audit';
import {
  type AuthorizeFault,
  comesTrue,
  endFault,
  type FaultLease,
  hostTime,
  injectFault,
  steadyState,
} from '../core/chaos';
import type { ChaosActivities, ChaosStepInput, EndedFault, PlannedFault } from '../core/chaos/types';
import { InvalidInputError, messageOf } from '../core/errors';
import { applyLoad } from './apply-load';
import { atTheBorder } from './at-the-border';
import { auditScope } from './audit-scope';
import {
  demandsOf,
  injectionOf,
  verifyChaosDecision,
  verifyChaosStep,
  verifyPermitted,
} from './chaos-intents';
import { chaosSection, executionOf, openExperiment } from './chaos-run';
import type { ChaosServices } from './chaos-services';
import { finishChaos } from './finish-chaos';
import { prepareChaos, refuseIfUnsafe } from './prepare-chaos';
import { runChaosStep } from './run-chaos-step';
import { withStepControl } from './step-control';
import { watchChaos } from './watch-chaos';

/** A clean-up that takes longer is reported as what it is, and the guards go on with it. */
const END_LIMIT_MS = 120_000;

/** The activities of the capability `chaos`: each one calls core/chaos, and errors become failures. */
export function createChaosActivities(services: ChaosServices): ChaosActivities {
  const { host, programs } = services;
  return {
    prepareChaos: (input) => step((signal) => prepareChaos(services, input, signal)),

    verifyChaosDecision: (input) => step(() => verifyChaosDecision(services, input)),

    checkSteadyState: (input) =>
      step(async (signal) => {
        await verifyPermitted(services, input);
        const { experiment, context } = await openExperiment(services, input, signal);
        return steadyState(experiment, context);
      }),

    injectFault: (input) =>
      step(async (signal) => {
        const { experiment, context } = await openExperiment(services, input, signal);
        const wanted = experiment.chaos.faults[input.fault];
        if (wanted === undefined) throw new InvalidInputError(`The experiment has no fault ${input.fault}.`);
        await verifyChaosStep(services, input, injectionOf(experiment, input.fault));
        const { workflowId } = executionOf();
        const staged = wanted.after !== undefined;
        if (input.fault === 0 || staged)
          await refuseIfUnsafe(services, experiment, context, {
            experiment: workflowId,
            // What the method itself has begun is no reason against the fault that is meant for it.
            tenants: staged ? (experiment.chaos.tenants ?? []) : [],
          });
        await recordAuditEvent(services.platform, {
          id: auditScope(),
          actor: input.run.requestedBy,
          action: 'chaos.inject',
          object: `${wanted.driver} ${wanted.target}`.slice(0, 200),
          outcome: 'asked',
          ...askedBy(),
          details: { lease: input.leaseId, parameters: wanted.parameters },
        });
        const lease = await injectFault(host, programs, {
          leaseId: input.leaseId,
          experiment: workflowId,
          driver: wanted.driver,
          target: wanted.target,
          parameters: withTenants(wanted, experiment.chaos.tenants),
          durationMs: input.deadlineMs,
          termMs: chaosSection(services).leaseTerm,
          authorize: authorizeFault(services, input, injectionOf(experiment, input.fault)),
        });
        return { leaseId: lease.id, driver: lease.driver, target: lease.target };
      }),

    watchFaults: (input) =>
      step(async (signal) => {
        await verifyPermitted(services, input);
        return watchChaos(services, input, signal);
      }),

    expectDuring: (input) =>
      step(async (signal) => {
        await verifyPermitted(services, input);
        const { experiment, context } = await openExperiment(services, input, signal);
        return comesTrue(experiment.during, context, input.limitMs);
      }),

    runChaosStep: (input) => step((signal) => runChaosStep(services, input, signal)),

    applyLoad: (input) =>
      step(async (signal) => {
        await verifyPermitted(services, input);
        return applyLoad(services, input, signal);
      }),

    endFaults: (input) => step(() => Promise.all(input.faults.map((fault) => endAndTell(services, fault)))),

    finishChaos: (input) => step(() => finishChaos(services, input)),
  };
}

/** The same again in the transaction that writes the lease down, without which nothing is injected. */
function authorizeFault(
  services: ChaosServices,
  input: ChaosStepInput,
  gameDayStep: string,
): AuthorizeFault | undefined {
  const { intents } = services;
  if (intents === undefined) return undefined;
  return async (tx) => {
    const demands = await demandsOf(services, intents, input, gameDayStep);
    for (const demand of demands) await intents.verify(tx, demand);
  };
}

/** The border of every activity, with heartbeats while it runs. */
function step<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return atTheBorder(() => withStepControl(({ signal }) => run(signal ?? new AbortController().signal)));
}

/** A fault that could not be ended in time has nobody who ended it, and its reason. */
async function endAndTell({ host }: ChaosServices, fault: PlannedFault): Promise<EndedFault> {
  const { journal } = host;
  const lease = await journal.find(fault.leaseId);
  const injected = await journal.isMarked(fault.leaseId, 'injected');
  if (lease !== undefined) {
    try {
      await endFault(host, lease, { by: 'controller', reason: 'rolled-back', limitMs: END_LIMIT_MS });
    } catch (error) {
      return { ...fault, ...timesOf(lease, undefined), injected, endedBy: '', reason: messageOf(error) };
    }
  }
  const ended = await journal.ended(fault.leaseId);
  if (ended === undefined)
    return { ...fault, from: '', to: '', injected: false, endedBy: 'nobody', reason: 'never begun' };
  return {
    ...fault,
    ...timesOf(ended.lease, ended.endedMs),
    injected: injected || ended.reason !== 'not-injected',
    endedBy: ended.by,
    reason: ended.reason,
  };
}

/** When it was, by this host's wall clock as it is now: a lease knows only the time since the boot. */
function timesOf(
  lease: FaultLease,
  endedMs: number | undefined,
): { readonly from: string; readonly to: string } {
  const now = Date.now();
  const { uptimeMs } = hostTime();
  const iso = (ms: number) => new Date(now - (uptimeMs - ms)).toISOString();
  return { from: iso(lease.createdMs), to: iso(endedMs ?? uptimeMs) };
}

/** Faults of calls are the only ones that know tenants; the experiment's scope is theirs unless they have one. */
function withTenants(
  { driver, parameters }: { readonly driver: string; readonly parameters: Readonly<Record<string, unknown>> },
  tenants: readonly string[] | undefined,
): Readonly<Record<string, unknown>> {
  return driver.startsWith('calls.') && tenants !== undefined ? { tenants, ...parameters } : parameters;
}
