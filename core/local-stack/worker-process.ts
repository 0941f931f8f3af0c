import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { detachedStatus, startDetached, stopDetached } from '../cluster';
import { DependencyMissingError } from '../errors';
import type { ProcessPlace } from './layout.pure';
import { packageRoot } from './package-root';
import type { PartName, StackPart } from './part';
import { PartFailedError } from './part-failed-error';

export interface WorkerProcessOptions {
  /** Default `worker`. */
  readonly name?: Extract<PartName, 'worker' | 'control' | 'second-worker' | 'sealer' | 'office' | 'tax'>;
  readonly place: ProcessPlace;
  readonly configFile: string;
  /** Serves /metrics and /healthz; the latter says that the worker is up. */
  readonly metricsPort: number;
  /** Default: the one that this package has built. */
  readonly entry?: string;
  /** Where it listens; default 127.0.0.1. */
  readonly host?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** A program, with its arguments, that runs the process: such as `ip netns exec NAMESPACE`. */
  readonly within?: readonly string[];
}

/** Time for running activities to end before the worker is killed; they are idempotent, so being killed is safe. */
const GRACE_MS = 20_000;
/** A first start from the sources bundles the workflows, which takes some seconds. */
const READY_LIMIT_MS = 60_000;

const BUILT = {
  worker: 'dist/workers/main.js',
  control: 'dist/workers/control.js',
  'second-worker': 'dist/workers/main.js',
  sealer: 'dist/workers/sealer.js',
  office: 'dist/examples/office/main.js',
  tax: 'dist/examples/office/tax.js',
} as const;

/** A process that runs workflows and activities. It starts last, because it needs every other part. */
export function workerProcess(options: WorkerProcessOptions): StackPart {
  const { name = 'worker', place } = options;
  return {
    name,
    async start(control) {
      const entry = options.entry ?? join(packageRoot(), BUILT[name]);
      if (!existsSync(entry)) {
        throw new DependencyMissingError(`the ${name} process is not built: ${entry} is not there`, {
          hint: 'Run `npm run build`, or leave the workers out with --no-worker.',
        });
      }
      control.progress('starting the process');
      await mkdir(place.directory, { recursive: true, mode: 0o700 });
      const { program, args, env } = processStart({ ...options, entry });
      const { recordFile, logFile } = place;
      await startDetached({ file: program, args, recordFile, logFile, env });
      await waitUntilHealthy(name, options, control.signal);
    },
    stop: () => stopDetached(place.recordFile, GRACE_MS),
    async status() {
      const process = await detachedStatus(place.recordFile);
      if (process.kind === 'stopped') return { kind: 'stopped' };
      const where = `metrics http://${options.host ?? '127.0.0.1'}:${options.metricsPort}/metrics`;
      return { kind: 'running', pid: process.pid, startedAt: process.startedAt, where };
    },
  };
}

/** How the process is started, here and by whoever finds it dead. */
export function processStart({
  name = 'worker',
  configFile,
  metricsPort,
  ...options
}: Omit<WorkerProcessOptions, 'place'>) {
  const entry = options.entry ?? join(packageRoot(), BUILT[name]);
  const command = [
    ...(options.within ?? []),
    process.execPath,
    '--enable-source-maps',
    entry,
    '--metrics-port',
    String(metricsPort),
  ];
  const [program = process.execPath, ...args] = command;
  return { program, args, env: { ...options.env, CHRONAWFLOW_CONFIG: configFile } };
}

async function waitUntilHealthy(
  name: PartName,
  options: WorkerProcessOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const limit = Date.now() + READY_LIMIT_MS;
  for (;;) {
    signal?.throwIfAborted();
    const { kind } = await detachedStatus(options.place.recordFile);
    // Refused until it listens; anything but 200 is "not yet" as well.
    const healthy = await fetch(`http://${options.host ?? '127.0.0.1'}:${options.metricsPort}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (healthy && kind === 'running') return;
    if (kind === 'stopped' || Date.now() > limit) {
      const log = (await readFile(options.place.logFile, 'utf8')).trimEnd().split('\n').slice(-8).join('\n');
      throw new PartFailedError(name, kind === 'stopped' ? 'it ended' : 'it does not get healthy', log);
    }
    await sleep(100);
  }
}
