import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { type Config, loadConfig } from '../config';
import { ChronawflowError, messageOf } from '../core/errors';
import { createLogger, type ProcessKind } from './create-logger';
import type { ChronawflowWorker, CreateWorkerOptions } from './create-worker';
import { installRuntime } from './install-runtime';
import { readMetricsPort, serveOnFreePort } from './metrics-port';

/** A process that runs workers of task queues. */
export interface WorkerProcess {
  readonly kind: ProcessKind;
  /** Where /metrics and /healthz are by default; a further process on the same host takes any free port. */
  readonly metricsPort: number;
  readonly create: (options: Pick<CreateWorkerOptions, 'config' | 'log'>) => Promise<ChronawflowWorker>;
}

/** Temporal may start at the same time as this process. */
const START_ATTEMPTS = 30;
const START_PAUSE_MS = 2_000;

/**
 * Runs until SIGTERM or SIGINT: then nothing more is taken, steps that run are interrupted (another worker, or this one
 * later, goes on with them), and the process ends with code 0. A second signal ends it at once, which is safe as well. It
 * ends with code 1 when it cannot start or go on; a supervisor starts it again.
 */
export async function runProcess(kind: WorkerProcess): Promise<void> {
  let log = createLogger(kind.kind, false);
  try {
    const options = readOptions();
    log = createLogger(kind.kind, options.pretty);
    await run(kind, options, loadConfig(), log);
  } catch (error) {
    const hint = error instanceof ChronawflowError ? error.hint : undefined;
    log.fatal({ err: error, hint }, messageOf(error));
    process.exitCode = 1;
  }
}

interface Options {
  readonly metricsPort: number | undefined;
  readonly pretty: boolean;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: { 'metrics-port': { type: 'string' }, pretty: { type: 'boolean', default: false } },
  });
  return { metricsPort: readMetricsPort(values['metrics-port']), pretty: values.pretty };
}

async function run(kind: WorkerProcess, options: Options, config: Config, log: Logger): Promise<void> {
  installRuntime(log);
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1);
    log.info({ signal }, 'stopping');
    stop.abort();
  };
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);

  const worker = await startPatiently(() => kind.create({ config, log }), log, stop.signal);
  if (worker === undefined) return;
  stop.signal.addEventListener('abort', () => worker.shutdown());
  if (stop.signal.aborted) worker.shutdown();
  const metrics = await serveOnFreePort(
    worker.registry,
    worker.health,
    options.metricsPort,
    kind.metricsPort,
  ).catch(async (error: unknown) => {
    worker.shutdown();
    await worker.run();
    throw error;
  });
  log.info({ taskQueues: worker.taskQueues, metricsPort: metrics.port }, 'running');
  try {
    await worker.run();
    log.info('stopped');
  } finally {
    await metrics.close();
  }
}

/** Undefined when it was told to stop before it had started. */
async function startPatiently(
  start: () => Promise<ChronawflowWorker>,
  log: Logger,
  signal: AbortSignal,
): Promise<ChronawflowWorker | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    if (signal.aborted) return undefined;
    try {
      return await start();
    } catch (error) {
      const final = error instanceof ChronawflowError && !error.retryable;
      if (final || attempt === START_ATTEMPTS) throw error;
      log.warn({ attempt, error: messageOf(error) }, 'cannot start yet');
      await sleep(START_PAUSE_MS, undefined, { signal }).catch(() => {
        // The signal was given while waiting; the loop sees it.
      });
    }
  }
}
