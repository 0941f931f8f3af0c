import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { connectTemporal } from '../client/connect-temporal';
import { temporalConnection } from '../config';
import { InvalidInputError } from '../core/errors';
import { sharedMetrics } from '../core/metrics';
import { IntentVerifier, operatorPolicy } from '../core/operators';
import { createPool } from '../database';
import { controlTaskQueue } from '../workflows/control-contract';
import type { ControlPart, ControlServices, CreateControlPart } from './control-part';
import { controlParts } from './control-parts';
import type { ChronawflowWorker, CreateWorkerOptions } from './create-worker';
import { ensureSearchAttributes } from './ensure-search-attributes';
import { payloadConverter, startingConverter } from './payload-converter';
import { watchHealth } from './watch-health';
import { workflowSource } from './workflow-source';

export interface CreateControlWorkerOptions
  extends Pick<CreateWorkerOptions, 'config' | 'log' | 'workflows'> {
  /** Default: those of this package. */
  readonly parts?: readonly CreateControlPart[];
}

/** Controllers are few and live long: all of them stay in memory. */
const MAX_CACHED_WORKFLOWS = 200;

const PLATFORM_CONNECTIONS = 8;

/** The worker of the controllers' task queue, in this process. */
export async function createControlWorker(options: CreateControlWorkerOptions): Promise<ChronawflowWorker> {
  const { config, log } = options;
  const { namespace } = config.temporal;
  const taskQueue = controlTaskQueue(config.temporal.taskQueue);
  const closers: (() => Promise<void>)[] = [];
  const release = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const platform = createPool(config.control.database ?? config.platform.database, {
      applicationName: 'chronawflow control',
      max: PLATFORM_CONNECTIONS,
    });
    closers.push(() => platform.end());
    const connection = await NativeConnection.connect(temporalConnection(config.temporal));
    closers.push(() => connection.close());
    await ensureSearchAttributes(connection, namespace);
    const clientConnection = await connectTemporal(config.temporal);
    closers.push(() => clientConnection.close());
    const health = watchHealth(platform, connection, log);
    closers.push(() => health.close());
    sharedMetrics.collectProcess();
    const temporal = new Client({
      connection: clientConnection,
      namespace,
      dataConverter: startingConverter(config, platform),
    });
    const policy = await operatorPolicy(config);
    const services: ControlServices = {
      ...{ config, log, platform, temporal, taskQueue, health },
      ...(policy === undefined ? {} : { intents: new IntentVerifier(platform, policy) }),
    };
    const parts: ControlPart[] = [];
    for (const create of options.parts ?? controlParts) {
      const part = await create(services);
      closers.push(async () => part.close?.());
      parts.push(part);
    }
    const worker = await Worker.create({
      connection,
      namespace,
      dataConverter: payloadConverter(config, platform),
      taskQueue,
      ...(options.workflows ?? workflowSource(config)),
      activities: activitiesOf(parts),
      maxCachedWorkflows: MAX_CACHED_WORKFLOWS,
      // As for the workers: a heartbeat brings the cancellation back.
      maxHeartbeatThrottleInterval: '2s',
    });
    return {
      taskQueues: [taskQueue],
      registry: sharedMetrics.registry,
      health,
      ...lifeOf(worker, parts, release),
    };
  } catch (error) {
    await release();
    throw error;
  }
}

function lifeOf(worker: Worker, parts: readonly ControlPart[], release: () => Promise<void>) {
  let asked = false;
  const shutdown = () => {
    asked = true;
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    shutdown,
    run: async () => {
      const run = worker.run();
      // A worker that was told to stop before it ran has to run for a moment: only then it gives its connection back.
      if (asked) shutdown();
      else for (const part of parts) part.start?.();
      try {
        await run;
      } finally {
        await release();
      }
    },
  };
}

/** @throws InvalidInputError where two parts name an activity alike: one of them would never be called. */
function activitiesOf(parts: readonly ControlPart[]): object {
  const all = parts.flatMap((part) => Object.entries(part.activities));
  const names = all.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new InvalidInputError(`Two parts of the controllers' process have an activity '${twice}'.`);
  return Object.fromEntries(all);
}
