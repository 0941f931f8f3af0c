import { createHash } from 'node:crypto';

import type { ChaosConfig } from '../../config';
import { TargetNotAllowedError } from './errors';
import type { Activity, Experiment } from './experiment';
import { checkAllowed } from './experiment/check-allowed';
import type { Values } from './experiment/substitute.pure';
import { substitute } from './experiment/substitute.pure';
import { type ChaosHost, resolveFault } from './host';
import type { SafetyPlan } from './safety';
import { allowedTarget, resourceOf } from './targets';
import type { PlannedFault, PlannedStep } from './types';

/** `f` and twelve hexadecimal digits, the same for the same fault of the same run. */
export function leaseIdOf(execution: string, fault: number): string {
  return `f${createHash('sha256').update(`${execution}/${fault}`).digest('hex').slice(0, 12)}`;
}

export function plannedFaults(experiment: Experiment, execution: string): readonly PlannedFault[] {
  return experiment.chaos.faults.map(({ driver, target, after }, at) => ({
    leaseId: leaseIdOf(execution, at),
    driver,
    target,
    ...(after === undefined ? {} : { after }),
  }));
}

export function plannedSteps(list: readonly Activity[], values: Values): readonly PlannedStep[] {
  return list.map(({ name, type, background, pauses }) => ({
    name,
    type,
    background,
    pauseBeforeMs: pauseMs(pauses?.before, values),
    pauseAfterMs: pauseMs(pauses?.after, values),
  }));
}

/** For the injection of all faults and the first step of the workflow after it. */
const ROOM_MS = 15_000;
/** A step that says nothing of its own limit. */
const STEP_MS = 10_000;

/**
 * How long the faults stay at most beside their own duration: the method's pauses and its steps' limits. When it takes longer, the
 * leases end, and the experiment with them.
 */
export function methodRoomMs(method: readonly Activity[], values: Values): number {
  return method.reduce((sum, { pauses, provider }) => {
    const limit = Array.isArray(provider.timeout) ? provider.timeout[1] : provider.timeout;
    const step = pauseMs(limit ?? undefined, values) || STEP_MS;
    return sum + pauseMs(pauses?.before, values) + pauseMs(pauses?.after, values) + step;
  }, ROOM_MS);
}

function pauseMs(pause: number | string | undefined, values: Values): number {
  const seconds = Number(substitute(pause ?? 0, values));
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : 0;
}

/**
 * Everything that the experiment would touch, against this host's allow-list: faults, and the address or program of each
 * activity, as they are once the values are in.
 *
 * @throws TargetNotAllowedError, InvalidInputError
 */
export function checkTargets(
  host: Pick<ChaosHost, 'drivers' | 'targets'>,
  experiment: Experiment,
  values: Values,
): void {
  for (const fault of experiment.chaos.faults) {
    const { driver, target } = resolveFault(host, fault);
    if (driver.targetKind !== target.kind)
      throw new TargetNotAllowedError(
        `${fault.driver} on ${fault.target}`,
        `it needs a target of kind ${driver.targetKind}, and this one is of kind ${target.kind}.`,
      );
  }
  const activities = [
    ...(experiment.hypothesis?.probes ?? []),
    ...experiment.method,
    ...experiment.rollbacks,
    ...experiment.during,
  ];
  for (const { name, provider } of activities) checkAllowed(name, provider, values, host.targets);
}

export function safetyPlan(
  experiment: Experiment,
  { targets, maxShare, maxDuration }: Pick<ChaosConfig, 'targets' | 'maxShare' | 'maxDuration'>,
  host: string,
): SafetyPlan {
  const radius = experiment.chaos['blast-radius'];
  const groupSizes: Record<string, number> = {};
  for (const { group } of Object.values(targets))
    if (group !== undefined) groupSizes[group] = (groupSizes[group] ?? 0) + 1;
  return {
    faults: experiment.chaos.faults.map(({ target }) => {
      const allowed = allowedTarget(targets, target);
      return { target, resource: resourceOf(allowed, host), group: allowed.group };
    }),
    groupSizes,
    tenants: experiment.chaos.tenants,
    // The experiment may ask for less than the configuration allows, never for more.
    maxInstances: Math.min(maxShare, radius.instances ?? 1),
    maxTenants: Math.min(maxShare, radius.tenants ?? 1),
    durationMs: experiment.chaos.duration,
    maxDurationMs: maxDuration,
  };
}

/** What would be done, for people: in the order of doing. */
export function describePlan(
  experiment: Experiment,
  { drivers }: Pick<ChaosHost, 'drivers'>,
): readonly string[] {
  const { chaos, hypothesis } = experiment;
  const activity = ({ type, name, background }: Activity) =>
    `${type} ${name}${background ? ' (in the background)' : ''}`;
  return [
    ...(hypothesis?.probes ?? []).map(({ name }) => `check the steady state: ${name}`),
    ...chaos.faults.map(({ driver, target, parameters, after }) => {
      const { summary, parse } = drivers.get(driver);
      const when = after === undefined ? '' : ` after '${after}'`;
      return `inject ${driver} into ${target}${when} ${JSON.stringify(parse(parameters))}: ${summary}`;
    }),
    ...experiment.method.map(activity),
    ...(chaos.faults.length === 0
      ? []
      : [
          `keep the faults for ${chaos.duration} ms, looking each second at ${chaos['abort-conditions'].length} abort condition(s)`,
        ]),
    ...chaos.during.map(({ name }) => `wait at most ${chaos.within} ms for: ${name}`),
    ...chaos.faults.map(({ driver, target }) => `end ${driver} on ${target}, and prove that it is gone`),
    ...experiment.rollbacks.map((one) => `roll back: ${activity(one)}`),
    ...(hypothesis?.probes ?? []).map(({ name }) => `check the steady state again: ${name}`),
  ];
}
