import { rename, rm, stat } from 'node:fs/promises';
import {
  initServer,
  makeServerDirectory,
  type PostgresBin,
  serverStatus,
  startServer,
  stopServer,
} from '../cluster';
import type { LocalServer } from './administrator';
import type { ServerPlace } from './layout.pure';
import type { PartName, PartStatus, StackPart, StartControl } from './part';

export interface ClusterOptions extends LocalServer {
  readonly name: Extract<PartName, 'application-cluster' | 'platform-cluster'>;
  readonly bin: PostgresBin;
  readonly place: ServerPlace;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Before the server starts: what its settings refer to. */
  readonly before?: () => Promise<void>;
  /** Once it accepts connections: databases, roles, tables. Runs at every start. */
  readonly prepare: () => Promise<void>;
}

/** After a crash the server replays its WAL since the last checkpoint first. */
const START_LIMIT_MS = 5 * 60_000;

/** One PostgreSQL cluster of the stack: made on first start, with data checksums, then started and prepared. */
export function postgresCluster(options: ClusterOptions): StackPart {
  const { dataDirectory, directory, logFile } = options.place;
  return {
    name: options.name,
    async start(control: StartControl) {
      await makeServerDirectory(directory);
      await makeServerDirectory(options.socketDirectory);
      await options.before?.();
      if (!(await exists(dataDirectory))) {
        control.progress('initdb');
        await makeCluster(options, control.signal);
      }
      control.progress('starting the server');
      await startServer({
        bin: options.bin,
        dataDirectory,
        logFile,
        socketDirectory: options.socketDirectory,
        port: options.port,
        listenAddresses: '127.0.0.1',
        settings: options.settings,
        timeoutMs: START_LIMIT_MS,
        signal: control.signal,
      });
      control.progress('databases, roles and tables');
      await options.prepare();
    },
    stop: () => stopServer({ dataDirectory }),
    async status(): Promise<PartStatus> {
      const server = await serverStatus(dataDirectory);
      if (server.kind === 'stopped')
        return { kind: 'stopped', reason: server.stale ? 'it was killed' : undefined };
      const { pid, startedAt, port } = server;
      return { kind: 'running', pid, startedAt, where: `127.0.0.1:${port}` };
    },
  };
}

/** Made beside its place and moved there when complete, so that a killed initdb never counts as a cluster. */
async function makeCluster(options: ClusterOptions, signal: AbortSignal | undefined): Promise<void> {
  const half = `${options.place.dataDirectory}.new`;
  await rm(half, { recursive: true, force: true });
  await initServer({
    bin: options.bin,
    dataDirectory: half,
    // The socket's directory has mode 0700: who gets there is the server user or root.
    authLocal: 'trust',
    authHost: 'scram-sha-256',
    dataChecksums: true,
    signal,
  });
  await rename(half, options.place.dataDirectory);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
