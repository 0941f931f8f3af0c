import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createChaosActivities } from '../activities/chaos';
import { temporalConnection } from '../config';
import { type ChaosPrograms, chaosPrograms, keepGuard, watchFaults } from '../core/chaos';
import { createPool } from '../database';
import { chaosHost } from './chaos-host';
import type { ControlPart, ControlServices } from './control-part';
import { payloadConverter } from './payload-converter';

/**
 * Chaos experiments in the controllers' process. Their workflows run on the controllers' queue; what touches the journal runs on
 * a queue of this host, whose name survives a restart, so that whoever continues finds the leases again.
 *
 * @param programs Default: the built ones beside this code.
 */
export async function chaosPart(services: ControlServices, programs?: ChaosPrograms): Promise<ControlPart> {
  const { config, log, platform, intents } = services;
  if (config.chaos === undefined) return { activities: {} };
  const { directory } = config.chaos;
  const started = programs ?? chaosPrograms();
  const { host, close } = chaosHost(config, log);
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow chaos',
    max: 1,
  });
  const { namespace } = config.temporal;
  const connection = await NativeConnection.connect(temporalConnection(config.temporal));
  const taskQueue = chaosTaskQueue(services.taskQueue, directory);
  const activities = createChaosActivities({
    config,
    host,
    programs: started,
    platform,
    application,
    taskQueue,
    ...(intents === undefined ? {} : { intents }),
  });
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    activities,
    dataConverter: payloadConverter(config, platform),
    maxHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '1s',
  });
  const stopWatch = watchFaults(host.journal);
  let run: Promise<void> | undefined;
  return {
    activities: { prepareChaos: activities.prepareChaos },
    start: () => {
      run = worker.run();
      run.catch((err: unknown) => log.error({ err }, 'no faults can be injected on this host any more'));
      // Leases of an earlier process may wait for somebody who ends them.
      host.journal.ids().then(
        (open) => (open.length > 0 ? keepGuard(directory, started, 'a') : undefined),
        (err: unknown) => log.error({ err }, 'the journal of faults cannot be read'),
      );
    },
    close: async () => {
      stopWatch();
      if (worker.getState() === 'RUNNING') worker.shutdown();
      else if (run === undefined) {
        // Only a worker that has run gives its connection back.
        run = worker.run();
        worker.shutdown();
      }
      await run?.catch(() => undefined);
      await Promise.all([application.end(), close()]);
      await connection.close();
    },
  };
}

function chaosTaskQueue(taskQueue: string, directory: string): string {
  const place = createHash('sha256').update(directory).digest('hex').slice(0, 8);
  return `${taskQueue}-chaos-${hostname()}-${place}`;
}
