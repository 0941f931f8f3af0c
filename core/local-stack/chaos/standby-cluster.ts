import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  makeServerDirectory,
  type PostgresBin,
  runProgram,
  serverStatus,
  startServer,
  stopServer,
} from '../../cluster';
import { whenMissing } from '../../errors';
import type { LocalServer } from '../administrator';
import type { StackPart } from '../part';
import type { ServerPlace } from '../places.pure';

export interface StandbyOptions {
  readonly bin: PostgresBin;
  readonly place: ServerPlace;
  readonly port: number;
  readonly primary: LocalServer;
}

const LIMIT_MS = 5 * 60_000;

/** A streaming standby of the application's cluster, made by pg_basebackup when there is none. */
export function standbyCluster({ bin, place, port, primary }: StandbyOptions): StackPart {
  const { directory, dataDirectory, logFile } = place;
  return {
    name: 'application-standby',
    async start(control) {
      await makeServerDirectory(directory);
      if (!(await stat(dataDirectory).then(() => true, whenMissing(false)))) {
        control.progress('pg_basebackup');
        // Made beside its place and moved there when complete, so that half of it never counts as a standby.
        const half = `${dataDirectory}.new`;
        await rm(half, { recursive: true, force: true });
        await runProgram(
          join(bin.directory, 'pg_basebackup'),
          [
            ...['--pgdata', half, '--host', primary.socketDirectory, '--port', String(primary.port)],
            ...[
              '--username',
              'postgres',
              '--wal-method=stream',
              '--checkpoint=fast',
              '--write-recovery-conf',
            ],
          ],
          { asServerUser: true, signal: control.signal, timeoutMs: LIMIT_MS },
        );
        await rename(half, dataDirectory);
      }
      control.progress('starting the server');
      await startServer({
        ...{ bin, dataDirectory, logFile, port, socketDirectory: primary.socketDirectory },
        listenAddresses: '127.0.0.1',
        settings: { archive_mode: 'off', hot_standby: true },
        timeoutMs: LIMIT_MS,
        signal: control.signal,
      });
    },
    stop: () => stopServer({ dataDirectory }),
    async status() {
      const server = await serverStatus(dataDirectory);
      if (server.kind === 'stopped')
        return { kind: 'stopped', reason: server.stale ? 'it was killed' : undefined };
      const { pid, startedAt } = server;
      return { kind: 'running', pid, startedAt, where: `127.0.0.1:${server.port}` };
    },
  };
}
