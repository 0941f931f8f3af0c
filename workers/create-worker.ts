import { Client } from '@temporalio/client';
import { NativeConnection, type WorkerOptions as TemporalWorkerOptions, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createRecoveryActivities } from '../activities/recovery';
import { RecoveryMetrics } from '../activities/recovery-metrics';
import { type Config, temporalConnection } from '../config';
import { SealingWatch } from '../core/audit';
import type { HealthMonitor } from '../core/health';
import { followCallFaults } from '../core/injection-points';
import { type Job, loadJobs } from '../core/jobs';
import { sharedMetrics } from '../core/metrics';
import { IntentVerifier, operatorPolicy } from '../core/operators';
import { ConfiguredRateLimits } from '../core/rate-limit';
import { createPool } from '../database';
import { auditOutbox } from './audit-outbox';
import { auditRetention } from './audit-retention';
import { ensureSearchAttributes } from './ensure-search-attributes';
import { type JobParts, jobParts } from './job-parts';
import { watchOrphanedRestores } from './orphaned-restores';
import { payloadConverter, startingConverter } from './payload-converter';
import { type RecoveryParts, recoveryParts } from './recovery-parts';
import { scratchTaskQueue } from './scratch-queue';
import { watchHealth } from './watch-health';
import { type WorkerLevels, workerLevels } from './worker-levels';
import { workerProtection } from './worker-protection';
import { workflowSource } from './workflow-source';

export interface CreateWorkerOptions {
  readonly config: Config;
  readonly log: Logger;
  /** Default: the engine on real parts, from the configuration. */
  readonly recovery?: RecoveryParts;
  /** Besides those of the modules that the configuration names. */
  readonly jobs?: readonly Job[];
  /** Default: the built bundle, or the sources. */
  readonly workflows?: Pick<TemporalWorkerOptions, 'workflowBundle' | 'workflowsPath'>;
  /** How long a step waits for this host when its worker is away, in milliseconds; default 30 minutes. */
  readonly scratchPatienceMs?: number;
  /** How often runs that ended without their clean-up are looked for, in milliseconds; default 30 s. */
  readonly orphansEveryMs?: number;
}

/** A worker of all of Chronawflow's task queues in this process. */
export interface ChronawflowWorker {
  readonly taskQueues: readonly string[];
  readonly registry: Registry;
  /** What `/healthz` and `/readyz` answer from. */
  readonly health: HealthMonitor;
  /** Resolves after shutdown(), when running steps have stopped; rejects when the worker cannot go on. */
  run(): Promise<void>;
  /** Takes nothing more; steps that run are interrupted and tried again by another worker, or by this one later. */
  shutdown(): void;
}

/** Restores wait for people, so many are idle; one that left the cache is replayed from its history when it goes on. */
const MAX_CACHED_WORKFLOWS = 200;

/** Scratch restores share this host's disk and cores; a step that finds no slot in its patience counts the host as lost. */
const SCRATCH_STEPS_AT_ONCE = 10;

/** Each step holds one while it writes its event, beside the health checks: more than steps that usually end at once. */
const PLATFORM_CONNECTIONS = 16;

/** Jobs that wait for a retry are idle as well; most workflows of jobs live for moments. */
const MAX_CACHED_JOBS = 500;

/** Jobs that run when the worker is told to stop have this long to end by themselves before they are interrupted. */
const JOB_GRACE = '5s';

export async function createWorker(options: CreateWorkerOptions): Promise<ChronawflowWorker> {
  const { config, log } = options;
  const { temporal } = config;
  const platform = createPool(config.platform.database, {
    applicationName: 'chronawflow worker',
    max: PLATFORM_CONNECTIONS,
  });
  const protection = workerProtection(config.protection, platform, log);
  const recovery = options.recovery ?? recoveryParts(config, log, protection);
  const outbox = auditOutbox(config, platform, log);
  const retention = auditRetention(config, platform, log);
  let connection: NativeConnection | undefined;
  let jobs: JobParts | undefined;
  let health: HealthMonitor | undefined;
  let limits: ConfiguredRateLimits | undefined;
  let disturbed: (() => Promise<void>) | undefined;
  let levels: WorkerLevels | undefined;
  let stopWatching = async () => {};
  let sealing: SealingWatch | undefined;
  const release = async () => {
    await disturbed?.();
    await stopWatching();
    await sealing?.close();
    await health?.close();
    await jobs?.close();
    await limits?.close();
    await levels?.close();
    await recovery.close();
    await protection.close();
    await retention.close();
    await outbox.close();
    await platform.end();
    await connection?.close();
  };
  try {
    connection = await NativeConnection.connect(temporalConnection(temporal));
    await ensureSearchAttributes(connection, temporal.namespace);
    await recovery.sweep();
    sharedMetrics.collectProcess();
    const monitor = watchHealth(platform, connection, log);
    health = monitor;
    if (config.rateLimits !== undefined) {
      limits = await ConfiguredRateLimits.start(config, {
        health: () => monitor.score(),
        onError: (err) => log.warn({ err }, 'rate limits'),
      });
    }
    levels = await workerLevels(config, monitor, log);
    const scratchQueue = scratchTaskQueue(temporal.taskQueue, config.application.backup.scratchDirectory);
    if (config.audit.publicKey !== undefined || config.audit.keyFile !== undefined) {
      sealing = new SealingWatch(platform);
      sealing.start();
    }
    const metrics = new RecoveryMetrics();
    const policy = await operatorPolicy(config);
    recovery.watch(metrics);
    if (config.chaos !== undefined) disturbed = followCallFaults(platform, config.chaos);
    const activities = createRecoveryActivities({
      ...recovery,
      config,
      platform,
      log,
      metrics,
      ...(policy === undefined ? {} : { intents: new IntentVerifier(platform, policy) }),
      scratchHost: { taskQueue: scratchQueue, patienceMs: options.scratchPatienceMs ?? 30 * 60_000 },
    });
    const dataConverter = payloadConverter(config, platform);
    const common = {
      connection,
      dataConverter,
      namespace: temporal.namespace,
      activities,
      // A heartbeat brings the cancellation back, and a late one costs the attempt: every one is sent at once. The default
      // keeps them back for four fifths of the heartbeat timeout.
      maxHeartbeatThrottleInterval: '2s',
    } as const;
    const source = options.workflows ?? workflowSource(config);
    const defined = [...(options.jobs ?? []), ...(await loadJobs(config.jobs.modules))];
    if (defined.length > 0)
      jobs = jobParts(
        config,
        defined,
        {
          connection,
          breakers: protection.breakers,
          limits,
          heldPriorities: levels?.heldPriorities,
          writesRefused: levels?.writesRefused,
          dataConverter: startingConverter(config, platform),
        },
        log,
      );
    const workers = await Promise.all([
      Worker.create({
        ...common,
        ...source,
        taskQueue: temporal.taskQueue,
        maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
      }),
      Worker.create({
        ...common,
        taskQueue: scratchQueue,
        maxConcurrentActivityTaskExecutions: SCRATCH_STEPS_AT_ONCE,
      }),
      ...(jobs === undefined
        ? []
        : [
            Worker.create({
              ...common,
              ...source,
              activities: jobs.activities,
              taskQueue: jobs.taskQueue,
              maxCachedWorkflows: MAX_CACHED_JOBS,
              maxConcurrentActivityTaskExecutions: jobs.slots,
              shutdownGraceTime: JOB_GRACE,
            }),
          ]),
    ]);
    outbox.start();
    retention.start();
    stopWatching = watchOrphanedRestores({
      client: new Client({
        connection,
        namespace: temporal.namespace,
        dataConverter: startingConverter(config, platform),
      }),
      platform,
      taskQueue: temporal.taskQueue,
      log,
      everyMs: options.orphansEveryMs,
    });
    return assemble(workers, sharedMetrics.registry, health, jobs, release);
  } catch (error) {
    await release();
    throw error;
  }
}

function assemble(
  workers: readonly Worker[],
  registry: Registry,
  health: HealthMonitor,
  jobs: JobParts | undefined,
  release: () => Promise<void>,
): ChronawflowWorker {
  let asked = false;
  const shutdown = () => {
    asked = true;
    // A failure here is the dispatcher's to log; what it handed over is taken by another worker.
    void jobs?.stopDispatching();
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    taskQueues: workers.map((worker) => worker.options.taskQueue),
    registry,
    health,
    shutdown,
    run: async () => {
      const runs = workers.map(async (worker) => {
        try {
          await worker.run();
        } finally {
          // One queue without the other would leave runs half-way.
          shutdown();
        }
      });
      // A worker that was told to stop before it ran has to run for a moment: only then it gives its connection back.
      if (asked) shutdown();
      else jobs?.start();
      const results = await Promise.allSettled(runs);
      await release();
      const failures = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason);
      if (failures.length > 0) throw failures[0];
    },
  };
}
