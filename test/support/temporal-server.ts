import { join } from 'node:path';
import { findTemporalCli, freePorts, makeServerDirectory } from '../../core/cluster';
import { temporalServer } from '../../core/local-stack';
import { building } from './clean-up';
import { guardAgainstOrphans } from './orphan-guard';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

export interface TemporalOptions {
  /** Keep the history in a file, so that it survives kill() and start(). Default: in memory. */
  readonly file?: boolean;
  readonly webUi?: boolean;
  readonly dynamicConfig?: readonly string[];
}

export interface RealTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly directory: string;
  /** undefined without Web UI. */
  readonly webUrl: string | undefined;
  readonly cli: string;
  start(): Promise<void>;
  /** To the server's process: SIGSTOP, as a machine that stands still, and SIGCONT. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** SIGKILL, as a crash; start() brings it back on the same port. */
  kill(): Promise<void>;
  /** Stops it and removes its directory. */
  stop(): Promise<void>;
}

/** Temporal's dev server on a free port, with the search attributes that Chronawflow sets. */
export function startTemporal(options: TemporalOptions = {}): Promise<RealTemporal> {
  return building(async (cleanUp) => {
    const directory = await throwawayDirectory('temporal');
    cleanUp.add(guardAgainstOrphans(directory));
    cleanUp.add(() => removeDirectory(directory));
    const cli = await findTemporalCli();
    const [port = 0, webPort = 0] = await freePorts(2);
    const place = await makeServerDirectory(join(directory, 'server'));
    const part = temporalServer({
      program: cli,
      place: {
        directory: place,
        recordFile: join(place, 'process.json'),
        logFile: join(place, 'temporal.log'),
      },
      database: options.file ? join(place, 'temporal.db') : undefined,
      port,
      webPort: options.webUi ? webPort : undefined,
      dynamicConfig: options.dynamicConfig,
    });
    const signal = async (name: NodeJS.Signals) => {
      const status = await part.status();
      if (status.kind === 'running' && status.pid !== undefined) process.kill(status.pid, name);
    };
    const start = () => part.start({ progress: () => undefined });
    cleanUp.add(() => part.stop());
    await start();
    return {
      address: `127.0.0.1:${port}`,
      namespace: 'default',
      directory,
      webUrl: options.webUi ? `http://127.0.0.1:${webPort}` : undefined,
      cli,
      start,
      signal,
      kill: async () => {
        await signal('SIGKILL');
        await part.stop();
      },
      stop: () => cleanUp.run(),
    };
  });
}
