import { join } from 'node:path';
import type { Pool } from 'pg';
import { parse, stringify } from 'yaml';
import { Chronawflow } from '../../client';
import { type Config, parseConfig } from '../../config';
import { APPLICATION } from '../../core/local-stack';
import { accuBooksTenancy, installAccuBooks } from '../../examples/accubooks';
import { building } from './clean-up';
import { type ApplicationOptions, type RealApplication, startApplication } from './real-application';
import { ensureBuilt, type StageWorker, stageWorker } from './restore-stage-worker';
import { type RealTemporal, startTemporal } from './temporal-server';

export interface StageOptions extends Pick<ApplicationOptions, 'settings'> {
  /** The block `recovery` of chronawflow.yaml. */
  readonly recovery?: Readonly<Record<string, unknown>>;
  /** In place of pgbackrest, for the worker only: makes the program that stands between. */
  readonly backupProgram?: (app: RealApplication) => Promise<string>;
  /** Temporal's history survives a kill of its server. */
  readonly durableTemporal?: boolean;
}

/** What a further desk has otherwise than the first. */
export interface DeskChanges {
  /** Over the block `recovery`. */
  readonly recovery?: Readonly<Record<string, unknown>>;
  readonly scratchDirectory?: string;
  /** In place of the block `objectives`. */
  readonly objectives?: Readonly<Record<string, unknown>>;
}

/** A worker process and the client that talks to it: both of one configuration. */
export interface Desk {
  readonly worker: StageWorker;
  readonly cf: Chronawflow;
  readonly config: Config;
  readonly configFile: string;
}

/** Everything that a restore needs, as separate processes: AccuBooks on a cluster with backups, Temporal, a worker. */
export interface RestoreStage extends Desk {
  readonly app: RealApplication;
  readonly temporal: RealTemporal;
  /** What AccuBooks itself uses, and what tests look with. */
  readonly books: Pool;
  /** Another worker and client with a queue of their own and other rules. */
  openDesk(queue: string, changes: DeskChanges): Promise<Desk>;
  stop(): Promise<void>;
}

/** One for each writer that a test may start, and some for looking. */
const BOOKS_CONNECTIONS = 12;

export function startRestoreStage(options: StageOptions = {}): Promise<RestoreStage> {
  return building(async (cleanUp) => {
    const built = ensureBuilt();
    const starting = [
      startApplication({
        schema: installAccuBooks,
        settings: { max_connections: 80, ...options.settings },
        config: { tenancy: accuBooksTenancy, recovery: { approvals: 1, ...options.recovery } },
      }),
      startTemporal({ file: options.durableTemporal }),
    ] as const;
    for (const one of starting) cleanUp.add(async () => (await one.catch(() => undefined))?.stop());
    const [app, temporal] = await Promise.all(starting);
    await built;
    const program = await options.backupProgram?.(app);

    const openDesk = async (queue: string, changes: DeskChanges): Promise<Desk> => {
      const configFile = join(app.directory, `${queue}.yaml`);
      const text = configText(app, temporal, queue, program, changes);
      const config = parseConfig(text, { file: configFile, env: {} });
      const worker = await stageWorker({ directory: join(app.directory, queue), configFile, text });
      cleanUp.add(() => worker.stop());
      await worker.start();
      const cf = await Chronawflow.connect({ config });
      cleanUp.add(() => cf.close());
      return { worker, cf, config, configFile };
    };
    const desk = await openDesk('chronawflow', {});
    // pgBackRest knows a backup's end to the second: a target in that second would need an older backup.
    await app.superuser.query('select pg_sleep(1.1)');
    return {
      ...desk,
      app,
      temporal,
      books: app.cluster.connect(APPLICATION.database, undefined, BOOKS_CONNECTIONS),
      openDesk,
      stop: () => cleanUp.run(),
    };
  });
}

function configText(
  app: RealApplication,
  temporal: RealTemporal,
  queue: string,
  program: string | undefined,
  changes: DeskChanges,
): string {
  const base = parse(app.configText);
  const { backup } = base.application;
  return stringify({
    ...base,
    temporal: {
      address: temporal.address,
      taskQueue: queue,
      ...(temporal.webUrl && { webUrl: temporal.webUrl }),
    },
    application: {
      ...base.application,
      backup: {
        ...backup,
        ...(program === undefined ? {} : { binary: program }),
        ...(changes.scratchDirectory === undefined ? {} : { scratchDirectory: changes.scratchDirectory }),
        // Ten of them at once on a small machine.
        scratchSettings: { shared_buffers: '16MB', work_mem: '4MB' },
      },
    },
    recovery: { ...base.recovery, ...changes.recovery },
    ...(changes.objectives && { objectives: changes.objectives }),
  });
}
