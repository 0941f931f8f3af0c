import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json';
import type { Intent } from '../operators';
import type { Experiment } from './experiment';
import type { ChaosRunInput, ChaosScheduleTerms } from './types';

/** What an intent for a run says; an experiment is longer than an intent may be, so that its hash stands for it. */
export function runParameters(
  workflowId: string,
  { experiment, reason, dryRun, confirmEachStep, seed }: ChaosRunInput,
): Intent['parameters'] {
  return { workflowId, ...nameOf(experiment), reason, dryRun, confirmEachStep, seed };
}

/** Of a schedule, for each of its runs. */
export function scheduleParameters(
  schedule: ChaosScheduleTerms,
  experiment: ChaosRunInput['experiment'],
): Intent['parameters'] {
  return { schedule: { ...schedule }, ...nameOf(experiment) };
}

/** The same operation for every run of a schedule, and no other's. */
export function scheduleOwner(name: string, intentSha256: string): string {
  return `chaos-schedule/${name}/${intentSha256}`;
}

export function experimentHash(experiment: ChaosRunInput['experiment']): string {
  return createHash('sha256').update(canonicalJson(experiment)).digest('hex');
}

/**
 * The one tenant that an experiment can hit, for operators who may disturb that tenant alone: only faults of calls know tenants, and
 * an action can do anything. Undefined for the platform as a whole.
 */
export function tenantOfExperiment({
  chaos,
  hypothesis,
  method,
  rollbacks,
}: Pick<Experiment, 'chaos' | 'hypothesis' | 'method' | 'rollbacks'>): string | undefined {
  const [tenant, ...others] = chaos.tenants ?? [];
  if (tenant === undefined || others.length > 0 || chaos.load !== undefined) return undefined;
  const activities = [...(hypothesis?.probes ?? []), ...method, ...rollbacks];
  const within =
    chaos.faults.every(
      ({ driver, parameters }) =>
        driver.startsWith('calls.') &&
        canonicalJson(parameters.tenants ?? [tenant]) === canonicalJson([tenant]),
    ) && activities.every(({ type }) => type === 'probe');
  return within ? tenant : undefined;
}

function nameOf(experiment: ChaosRunInput['experiment']) {
  return { title: experiment.title, experimentSha256: experimentHash(experiment) };
}
