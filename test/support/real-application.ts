import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { stringify } from 'yaml';
import { type Config, parseConfig } from '../../config';
import { findPgBackRest, makeServerDirectory, runProgram } from '../../core/cluster';
import {
  type Administrator,
  APPLICATION,
  archiveCommand,
  backupRepository,
  createLocalApplication,
  grantApplicationRole,
  localAdministrator,
  PLATFORM,
  prepareApplicationDatabase,
  preparePlatformDatabase,
  type RepositoryOptions,
  writeRepositoryConfig,
} from '../../core/local-stack';
import { building } from './clean-up';
import { guardAgainstOrphans } from './orphan-guard';
import { type RealPostgres, startPostgres } from './real-postgres';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

export interface ApplicationOptions {
  /** Runs as superuser in the application's database before the first backup: tables, rows. */
  readonly schema?: (superuser: Pool) => Promise<unknown>;
  /** Blocks of chronawflow.yaml beside the connections; `tenancy` defaults to a table public.tenants. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Default true; without one only freeze, diff and merge can be tested, which starts a second sooner. */
  readonly backup?: boolean;
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** The application's cluster with archiving and a backup, the control plane's database, and a configuration of both. */
export interface RealApplication {
  readonly directory: string;
  /** Its own cluster: a test may halt or crash it, and the platform stays. */
  readonly cluster: RealPostgres;
  readonly platformCluster: RealPostgres;
  readonly config: Config;
  /** The same as text, for processes that read a file: a worker, the CLI. */
  readonly configText: string;
  /** As role `chronawflow`, with exactly the rights of deploy/postgres/application-role.sql. */
  readonly application: Pool;
  /** As a superuser, in the application's database: what the application itself does. */
  readonly superuser: Pool;
  /** As role `chronawflow` in the control plane's database. */
  readonly platform: Pool;
  readonly repository: RepositoryOptions;
  /** Runs application-role.sql again, for tables made by other roles than postgres. */
  grant(): Promise<void>;
  /** pgBackRest with this repository's configuration and stanza, as the server user. */
  pgBackRest(...args: string[]): Promise<string>;
  /** Closes the current WAL segment and waits until it is archived. */
  archiveNow(): Promise<void>;
  stop(): Promise<void>;
}

const STANZA = 'app';

/** pgBackRest tries a file that fails three times, and rests for 15 seconds before the last one: no test needs to see that. */
const TRIED_AGAIN_AT_ONCE = `
[global:restore]
job-retry-interval=0
`;

export function startApplication(options: ApplicationOptions = {}): Promise<RealApplication> {
  return building(async (cleanUp) => {
    const directory = await throwawayDirectory('app');
    cleanUp.add(guardAgainstOrphans(directory));
    cleanUp.add(() => removeDirectory(directory));
    const withBackup = options.backup ?? true;
    const places = { application: join(directory, 'application'), platform: join(directory, 'platform') };
    const repository = await describeRepository(directory, places.application);
    if (withBackup) await writeRepositoryConfig(repository);

    const starting = [
      startPostgres({
        directory: await makeServerDirectory(places.application),
        dataChecksums: true,
        settings: {
          wal_level: 'logical',
          track_commit_timestamp: true,
          archive_mode: withBackup ? 'on' : 'off',
          archive_command: archiveCommand(repository.program, repository.configFile, STANZA),
          ...options.settings,
        },
      }),
      startPostgres({ directory: await makeServerDirectory(places.platform) }),
    ] as const;
    // Registered before either is awaited: one may fail while the other is still starting.
    for (const one of starting) cleanUp.add(async () => (await one.catch(() => undefined))?.stop());
    const [cluster, platformCluster] = await Promise.all(starting);

    await Promise.all([
      prepareApplication(localAdministrator(cluster)),
      preparePlatformDatabase(localAdministrator(platformCluster), {
        database: PLATFORM.database,
        role: PLATFORM.role,
        password: undefined,
      }),
    ]);
    const superuser = cluster.connect(APPLICATION.database);
    await options.schema?.(superuser);
    await grantApplicationRole(superuser);
    if (withBackup) {
      await backupRepository(repository).start({ progress: () => undefined });
      await appendFile(repository.configFile, TRIED_AGAIN_AT_ONCE);
    }

    const configText = stringify({
      temporal: {},
      platform: { database: platformCluster.connection(PLATFORM.database, PLATFORM.role) },
      application: {
        database: cluster.connection(APPLICATION.database, APPLICATION.role),
        backup: {
          stanza: STANZA,
          configFile: repository.configFile,
          binary: repository.program,
          postgresBin: cluster.bin.directory,
          scratchDirectory: await makeServerDirectory(join(directory, 'scratch')),
        },
      },
      tenancy: { table: 'public.tenants' },
      ...options.config,
    });
    const pgBackRest = async (...args: string[]) => {
      const all = [`--config=${repository.configFile}`, `--stanza=${STANZA}`, ...args];
      return (await runProgram(repository.program, all, { asServerUser: true })).stdout;
    };
    return {
      directory,
      cluster,
      platformCluster,
      config: parseConfig(configText, { file: join(directory, 'chronawflow.yaml'), env: {} }),
      configText,
      application: cluster.connect(APPLICATION.database, APPLICATION.role, 8),
      superuser,
      platform: platformCluster.connect(PLATFORM.database, PLATFORM.role),
      repository,
      grant: () => grantApplicationRole(superuser),
      pgBackRest,
      archiveNow: async () => {
        await superuser.query('select pg_switch_wal()');
        await pgBackRest('check');
      },
      stop: () => cleanUp.run(),
    };
  });
}

async function describeRepository(directory: string, clusterDirectory: string): Promise<RepositoryOptions> {
  const backup = join(directory, 'backup');
  return {
    program: await findPgBackRest(),
    configFile: join(backup, 'pgbackrest.conf'),
    stanza: STANZA,
    repository: join(backup, 'repository'),
    logs: join(backup, 'log'),
    locks: join(backup, 'lock'),
    spool: join(backup, 'spool'),
    cipherPass: 'a pass for a repository of a test',
    dataDirectory: join(clusterDirectory, 'data'),
    socketDirectory: clusterDirectory,
    port: 5432,
  };
}

/** No passwords: the local socket lets everybody in. */
async function prepareApplication(administrator: Administrator): Promise<void> {
  await createLocalApplication(administrator, 'unused');
  await prepareApplicationDatabase(administrator, { database: APPLICATION.database, password: undefined });
}
