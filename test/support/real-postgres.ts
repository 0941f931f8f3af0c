import { join } from 'node:path';
import type { Pool } from 'pg';
import {
  findPostgresBin,
  freePort,
  initServer,
  makeServerDirectory,
  type PostgresBin,
  runProgram,
  startServer,
  stopServer,
} from '../../core/cluster';
import { type ConnectionSettings, createPool, quoteIdentifier } from '../../database';
import { building, CleanUp } from './clean-up';
import { copyClusterTemplate } from './cluster-template';
import { guardAgainstOrphans } from './orphan-guard';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

export interface PostgresOptions {
  /** Server settings beside the fast and unsafe ones. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Where to put it; a throwaway directory of its own by default. */
  readonly directory?: string;
  readonly dataChecksums?: boolean;
  /** Also listen on a free port of 127.0.0.1, for tests that break the network. Default: only the local socket. */
  readonly tcp?: boolean;
  /** Begin as a streaming standby of this one, instead of an empty cluster. */
  readonly standbyOf?: RealPostgres;
}

/** A cluster for one test file: everybody may log in, nothing survives a crash of the host. */
export interface RealPostgres {
  readonly bin: PostgresBin;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly logFile: string;
  /** How to reach one of its databases; default user `postgres`, a superuser. */
  connection(database: string, user?: string): ConnectionSettings;
  /** A pool that stop() ends. */
  connect(database?: string, user?: string, max?: number): Pool;
  /** Makes a database and connects to it as superuser. */
  createDatabase(name: string): Promise<Pool>;
  start(): Promise<void>;
  /** Stops the server only; the data stays and start() brings it back. */
  halt(mode?: 'fast' | 'immediate'): Promise<void>;
  /** Ends the pools, stops the server, removes everything. */
  stop(): Promise<void>;
}

/** Safe to lose: the test is over when the host crashes. */
const FAST = {
  fsync: false,
  full_page_writes: false,
  shared_buffers: '32MB',
  log_checkpoints: false,
  lc_messages: 'C',
} as const;

/** Each server has a directory of its own for its socket, so all can have the same port. */
const PORT = 5432;

export function startPostgres(options: PostgresOptions = {}): Promise<RealPostgres> {
  return building(async (cleanUp) => {
    const directory = options.directory ?? (await throwawayDirectory('pg'));
    if (options.directory === undefined) {
      cleanUp.add(guardAgainstOrphans(directory));
      cleanUp.add(() => removeDirectory(directory));
    }
    const bin = await findPostgresBin();
    const dataDirectory = join(directory, 'data');
    const logFile = join(directory, 'server.log');
    if (options.standbyOf !== undefined) await copyServer(options.standbyOf, dataDirectory);
    else if (options.dataChecksums || !(await copyClusterTemplate(dataDirectory))) {
      await initServer({
        bin,
        dataDirectory,
        authLocal: 'trust',
        authHost: options.tcp ? 'trust' : 'reject',
        dataChecksums: options.dataChecksums,
        noSync: true,
      });
    }
    const port = options.tcp ? await freePort() : PORT;
    const start = async () => {
      await startServer({
        bin,
        dataDirectory,
        logFile,
        socketDirectory: directory,
        port,
        listenAddresses: options.tcp ? '127.0.0.1' : undefined,
        settings: { ...FAST, ...options.settings },
      });
    };
    cleanUp.add(() => stopServer({ dataDirectory, mode: 'immediate' }));
    await start();
    return server({ bin, directory, dataDirectory, logFile, port, start }, cleanUp);
  });
}

/** A base backup that follows where it comes from. */
async function copyServer(primary: RealPostgres, dataDirectory: string): Promise<void> {
  await makeServerDirectory(dataDirectory);
  await runProgram(
    join(primary.bin.directory, 'pg_basebackup'),
    [
      `--pgdata=${dataDirectory}`,
      `--host=${primary.socketDirectory}`,
      `--port=${primary.port}`,
      '--username=postgres',
      '--write-recovery-conf',
      '--wal-method=stream',
      '--checkpoint=fast',
      '--no-sync',
    ],
    { asServerUser: true },
  );
}

function server(
  parts: Pick<RealPostgres, 'bin' | 'directory' | 'dataDirectory' | 'logFile' | 'port' | 'start'>,
  cleanUp: CleanUp,
): RealPostgres {
  const pools = new CleanUp();
  const connection = (database: string, user = 'postgres'): ConnectionSettings => ({
    host: parts.directory,
    port: parts.port,
    database,
    user,
  });
  const connect = (database = 'postgres', user?: string, max = 4): Pool => {
    const pool = createPool(connection(database, user), { applicationName: 'test', max });
    pools.add(async () => {
      if (!pool.ended) await pool.end();
    });
    return pool;
  };
  cleanUp.add(() => pools.run());
  return {
    ...parts,
    socketDirectory: parts.directory,
    connection,
    connect,
    createDatabase: async (name) => {
      await connect().query(`create database ${quoteIdentifier(name)}`);
      return connect(name);
    },
    halt: (mode = 'fast') => stopServer({ dataDirectory: parts.dataDirectory, mode }),
    stop: () => cleanUp.run(),
  };
}
