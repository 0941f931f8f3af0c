import { quoteLiteral } from '../../database';
import type { PostgresBin } from '../cluster';
import { type Administrator, localAdministrator, withDatabase } from './administrator';
import { APPLICATION, createLocalApplication, prepareApplicationDatabase } from './application-database';
import { backupRepository, type RepositoryOptions, writeRepositoryConfig } from './backup-repository';
import type { ChaosAddition } from './chaos';
import type { StackLayout } from './layout.pure';
import type { StackPart } from './part';
import { archiveCommand } from './pgbackrest-config.pure';
import { PLATFORM, preparePlatformDatabase } from './platform-database';
import { postgresCluster } from './postgres-cluster';
import type { StackPorts } from './state';
import { temporalServer } from './temporal-server';
import { workerProcess } from './worker-process';

export interface PartsOptions {
  readonly layout: StackLayout;
  readonly ports: StackPorts;
  readonly programs: {
    readonly temporal: string;
    readonly pgBackRest: string;
    readonly postgres: PostgresBin;
  };
  readonly secrets: {
    readonly applicationOwner: string;
    readonly application: string;
    readonly platform: string;
    readonly control: string;
    readonly repository: string;
    /** Of the role that seals the audit log, where a sealer runs. */
    readonly sealer?: string | undefined;
  };
  readonly addition?: ChaosAddition | undefined;
}

/** The application's cluster in the repository. */
export const STANZA = 'app';

/** The six parts, told of each other by paths and ports only. */
export function stackParts(options: PartsOptions): {
  readonly temporal: StackPart;
  readonly application: StackPart;
  readonly platform: StackPart;
  readonly repository: StackPart;
  readonly worker: StackPart;
  readonly control: StackPart;
} {
  const { layout, ports, programs, secrets, addition } = options;
  const application = { socketDirectory: layout.socketDirectory, port: ports.application };
  const platform = { socketDirectory: layout.socketDirectory, port: ports.platform };
  const repository: RepositoryOptions = {
    ...layout.backup,
    ...application,
    program: programs.pgBackRest,
    stanza: STANZA,
    cipherPass: secrets.repository,
    dataDirectory: layout.application.dataDirectory,
  };
  const archive = archiveCommand(programs.pgBackRest, layout.backup.configFile, STANZA);
  return {
    temporal: temporalServer({
      program: programs.temporal,
      place: layout.temporal,
      database: layout.temporal.database,
      port: ports.temporal,
      webPort: ports.web,
    }),
    application: postgresCluster({
      ...application,
      name: 'application-cluster',
      bin: programs.postgres,
      place: layout.application,
      settings: {
        wal_level: 'replica',
        archive_mode: 'on',
        ...(addition === undefined ? { archive_command: archive } : {}),
        // The longest that a quiet database's last commit waits before it can be restored.
        archive_timeout: addition === undefined ? '60s' : '5s',
        track_commit_timestamp: true,
      },
      before: () => writeRepositoryConfig(repository),
      prepare: async () => {
        const administrator = localAdministrator(application);
        if (addition !== undefined) await archiveBySetting(administrator, archive);
        await createLocalApplication(administrator, secrets.applicationOwner);
        await prepareApplicationDatabase(administrator, {
          database: APPLICATION.database,
          password: secrets.application,
        });
      },
    }),
    platform: postgresCluster({
      ...platform,
      name: 'platform-cluster',
      bin: programs.postgres,
      place: layout.platform,
      settings: {},
      prepare: () =>
        preparePlatformDatabase(localAdministrator(platform), {
          database: PLATFORM.database,
          role: PLATFORM.role,
          password: secrets.platform,
          control: { password: secrets.control },
          ...(secrets.sealer && {
            sealer: { role: PLATFORM.sealerRole, password: secrets.sealer },
          }),
        }),
    }),
    repository: backupRepository(repository),
    worker: workerProcess({
      name: 'worker',
      place: layout.worker,
      configFile: addition === undefined ? layout.configFile : layout.chaos.configFile,
      metricsPort: ports.metrics,
    }),
    control: workerProcess({
      name: 'control',
      place: layout.control,
      configFile: layout.configFile,
      metricsPort: ports.control,
      env: addition?.env,
    }),
  };
}

/** What stands on a server's command line nobody can change while it runs: an experiment could not break it. */
async function archiveBySetting(administrator: Administrator, command: string): Promise<void> {
  await withDatabase(administrator, 'postgres', async (superuser) => {
    await superuser.query(`alter system set archive_command = ${quoteLiteral(command)}`);
    await superuser.query('select pg_reload_conf()');
  });
}
