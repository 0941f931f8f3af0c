import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, runProgram } from '../../core/cluster';
import { packageRoot } from '../../core/local-stack';
import { workerProcess } from '../../core/local-stack/worker-process';

/** The worker as an operator runs it: dist/workers/main.js in a process of its own. */
export interface StageWorker {
  readonly logFile: string;
  readonly metricsUrl: string;
  /** Resolves when it is healthy. */
  start(): Promise<void>;
  /** SIGKILL; it is gone when this returns. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export async function stageWorker(options: {
  readonly directory: string;
  readonly configFile: string;
  readonly text: string;
}): Promise<StageWorker> {
  await mkdir(options.directory, { recursive: true });
  await writeFile(options.configFile, options.text, { mode: 0o600 });
  const logFile = join(options.directory, 'worker.log');
  const metricsPort = await freePort();
  const part = workerProcess({
    place: { directory: options.directory, recordFile: join(options.directory, 'process.json'), logFile },
    configFile: options.configFile,
    metricsPort,
  });
  return {
    logFile,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    start: () => part.start({ progress: () => undefined }),
    kill: async () => {
      const status = await part.status();
      if (status.kind !== 'running' || status.pid === undefined) throw new Error('the worker does not run');
      process.kill(status.pid, 'SIGKILL');
      await part.stop();
    },
    stop: () => part.stop(),
  };
}

let building: Promise<unknown> | undefined;

/** Builds dist/ with the workflow bundle; quick when nothing has changed, and safe beside other builds. */
export function ensureBuilt(): Promise<unknown> {
  building ??= runProgram(process.execPath, [join(packageRoot(), 'scripts', 'build.mjs')]);
  return building;
}
