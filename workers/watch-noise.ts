import type { Pool } from 'pg';
import {
  type ContainmentInput,
  containmentWorkflowId,
  judgeNoise,
  type NoiseState,
  type NoisyTenant,
  readContainments,
  readUses,
} from '../core/containment';
import { type Repeated, repeat } from '../core/repeat';
import { containmentWorkflowName } from '../workflows/containment-contract';
import type { ControlServices } from './control-part';
import { failedRound } from './failed-round';

/**
 * Finds tenants that take others down, and contains them by the rule `containment.noisyTenants`. How many may be contained so is
 * decided where a containment is written down, so that two controllers cannot both be within the limit.
 */
export function watchNoise(services: ControlServices, application: Pool): Pick<Repeated, 'start' | 'stop'> {
  const { config, log, platform } = services;
  const rule = config.containment.noisyTenants;
  if (rule === false) return { start: () => undefined, stop: async () => undefined };
  const { share, looks, except } = rule;
  const least = { 'in-flight': rule.minInFlight, errors: rule.minErrors, 'database-time': rule.minSessions };
  let state: NoiseState = new Map();
  const round = async () => {
    const uses = await readUses(application, config.jobs.quarantine.window);
    const [next, noisy] = judgeNoise(state, uses, { share, looks, except, least });
    state = next;
    if (noisy.length === 0) return;
    const standing = await readContainments(platform);
    const contained = new Set(
      standing.flatMap(({ target }) => (target.strategy === 'isolate-tenant' ? [target.tenant] : [])),
    );
    // One a round, the loudest: without it the others may not be noisy at all.
    const loudest = noisy.find(({ tenant }) => !contained.has(tenant));
    if (loudest !== undefined) await contain(services, loudest, rule.for);
  };
  return repeat(rule.every, round, failedRound(log, 'looking for noisy tenants'));
}

async function contain(
  { temporal, taskQueue, log }: ControlServices,
  { tenant, signal, share }: NoisyTenant,
  forMs: number,
): Promise<void> {
  const target = { strategy: 'isolate-tenant', tenant } as const;
  const percent = Math.round(share * 100);
  const input: ContainmentInput = {
    target,
    forMs,
    reason: `noisy: ${percent} % of all tenants' ${signal}`,
    requestedBy: 'rule:noisy-tenant',
    automatic: true,
  };
  // Two controllers that find the same tenant within a minute start it once.
  const request = `noisy-${new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString().slice(0, 16)}Z`;
  try {
    await temporal.workflow.start(containmentWorkflowName, {
      workflowId: containmentWorkflowId(target, request),
      taskQueue,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `Contain noisy tenant ${tenant}: ${percent} % of ${signal}`,
    });
    log.warn({ tenant, signal, share }, 'a noisy tenant is contained by the rule');
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return;
    throw error;
  }
}
