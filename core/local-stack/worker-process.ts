import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { detachedStatus, startDetached, stopDetached } from '../cluster';
import { DependencyMissingError } from '../errors';
import type { ProcessPlace } from './layout.pure';
import { packageRoot } from './package-root';
import type { StackPart } from './part';

/** Time for running activities to end before the worker is killed; they are idempotent, so being killed is safe. */
const GRACE_MS = 20_000;

/** The process that runs workflows and activities. It starts last, because it needs every other part. */
export function workerProcess(options: {
  readonly place: ProcessPlace;
  readonly configFile: string;
}): StackPart {
  return {
    name: 'worker',
    async start(control) {
      const entry = join(packageRoot(), 'dist/workers/main.js');
      if (!existsSync(entry)) {
        throw new DependencyMissingError(`the worker is not built: ${entry} is not there`, {
          hint: 'Run `npm run build`, or leave the worker out with --no-worker.',
        });
      }
      control.progress('starting the worker');
      await mkdir(options.place.directory, { recursive: true, mode: 0o700 });
      await startDetached({
        file: process.execPath,
        args: ['--enable-source-maps', entry],
        recordFile: options.place.recordFile,
        logFile: options.place.logFile,
        env: { CHRONAWFLOW_CONFIG: options.configFile },
      });
    },
    stop: () => stopDetached(options.place.recordFile, GRACE_MS),
    async status() {
      const process = await detachedStatus(options.place.recordFile);
      if (process.kind === 'stopped') return { kind: 'stopped' };
      return {
        kind: 'running',
        pid: process.pid,
        startedAt: process.startedAt,
        where: options.place.logFile,
      };
    },
  };
}
