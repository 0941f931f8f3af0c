import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { detachedStatus, makeServerDirectory, startDetached, stopDetached } from '../../core/cluster';
import { DependencyMissingError } from '../../core/errors';
import { packageRoot } from '../../core/local-stack';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';

const READY_LIMIT_MS = 60_000;
/** `TASK_QUEUE_TYPE_ACTIVITY` of temporal.api.enums.v1. */
const ACTIVITY = 2;

export interface WorkerOptions {
  readonly directory: string;
  readonly configFile: string;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly taskQueue: string };
}

/** The built worker in a process of its own, as an operator runs it. */
export class BenchWorker {
  private readonly recordFile: string;
  private readonly logFile: string;

  constructor(private readonly options: WorkerOptions) {
    this.recordFile = join(options.directory, 'process.json');
    this.logFile = join(options.directory, 'worker.log');
  }

  /** Resolves when the worker asks Temporal for work. */
  async start(signal: AbortSignal): Promise<void> {
    await makeServerDirectory(this.options.directory);
    await startDetached({
      file: process.execPath,
      args: ['--enable-source-maps', join(packageRoot(), 'dist/workers/main.js')],
      recordFile: this.recordFile,
      logFile: this.logFile,
      env: { CHRONAWFLOW_CONFIG: this.options.configFile, CHRONAWFLOW_METRICS_PORT: '0' },
    });
    const connection = await Connection.connect({ address: this.options.temporal.address });
    try {
      const limit = performance.now() + READY_LIMIT_MS;
      while (!(await this.polls(connection))) {
        const alive = (await detachedStatus(this.recordFile)).kind === 'running';
        if (!alive || performance.now() > limit) throw await this.notReady(alive);
        await sleep(100, undefined, { signal });
      }
    } finally {
      await connection.close();
    }
  }

  /** Highest resident memory since it started, in MB of 10^6 bytes, by the kernel's own account. */
  async peakMemoryMb(): Promise<number> {
    const status = await detachedStatus(this.recordFile);
    if (status.kind === 'stopped') throw await this.notReady(false);
    const text = await readFile(`/proc/${status.pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
    if (kilobytes === undefined) {
      throw new MeasurementInvalidError(`/proc/${status.pid}/status has no line VmHWM`, 'Run it on Linux.');
    }
    return (Number(kilobytes) * 1_024) / 1e6;
  }

  /** The last lines of its log that are warnings or worse. */
  async complaints(): Promise<string> {
    const lines = (await readFile(this.logFile, 'utf8')).trimEnd().split('\n');
    return lines
      .filter((line) => /"level":[456]0/.test(line))
      .slice(-5)
      .join('\n');
  }

  stop(): Promise<void> {
    return stopDetached(this.recordFile);
  }

  private async polls(connection: Connection): Promise<boolean> {
    const { namespace, taskQueue } = this.options.temporal;
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: ACTIVITY,
    });
    return (pollers ?? []).length > 0;
  }

  private async notReady(alive: boolean): Promise<Error> {
    const log = (await readFile(this.logFile, 'utf8')).trimEnd().split('\n').slice(-10).join('\n');
    const state = alive ? `takes no work after ${READY_LIMIT_MS / 1_000} s` : 'has ended';
    return new DependencyMissingError(`the worker ${state}:\n${log}`, {
      hint: 'Run `npm run build`, then look at the last lines of its log above.',
    });
  }
}
