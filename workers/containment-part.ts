import { createContainmentActivities } from '../activities/containment';
import { ContainmentMetrics } from '../activities/containment-metrics';
import { type ContainmentContext, readContainments, reapContainments } from '../core/containment';
import { coreTypes, jobsByType, loadJobs } from '../core/jobs';
import { repeat } from '../core/repeat';
import { createPool } from '../database';
import type { ControlPart, ControlServices } from './control-part';
import { failedRound } from './failed-round';
import { isRunning } from './is-running';
import { startEscalation } from './start-escalation';
import { watchNoise } from './watch-noise';

/** Leases are at least 2 s; what lapsed has ended by itself already, so clearing up may take its time. */
const REAP_EVERY_MS = 5_000;

/** A gate holds one while it waits for locks, a renewal of several containments one each. */
const CONNECTIONS = 6;

/** Containment in the controllers' process: its activities, the reaper, and the rule for noisy tenants. */
export async function containmentPart(services: ControlServices): Promise<ControlPart> {
  const { config, log, platform, intents } = services;
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow containment',
    max: CONNECTIONS,
  });
  const jobs = jobsByType(await loadJobs(config.jobs.modules));
  const ctx: ContainmentContext = {
    config,
    platform,
    application,
    coreTypes: async (type = '') => coreTypes(jobs, type),
  };
  const metrics = new ContainmentMetrics();
  const reap = async () => {
    const reaped = await reapContainments(ctx, (workflowId) => isRunning(services.temporal, workflowId));
    for (const { strategy } of reaped) metrics.ended(strategy, 'lapsed');
    if (reaped.length > 0)
      log.warn({ containments: reaped }, 'containments lapsed: nobody renewed their leases');
    metrics.seen(await readContainments(platform));
  };
  const reaper = repeat(REAP_EVERY_MS, reap, failedRound(log, 'clearing up after lapsed containments'));
  const noise = watchNoise(services, application);
  return {
    activities: createContainmentActivities({
      ...ctx,
      ...(intents === undefined ? {} : { intents }),
      metrics,
      askPerson: (alert) => startEscalation(services, alert),
    }),
    start: () => {
      reaper.start();
      noise.start();
    },
    close: async () => {
      await Promise.all([reaper.stop(), noise.stop()]);
      await application.end();
    },
  };
}
