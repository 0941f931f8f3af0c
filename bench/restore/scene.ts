import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { Chronawflow } from '../../client';
import { APPLICATION } from '../../core/local-stack';
import {
  ACCUBOOKS_ROLE,
  accuBooksTenancy,
  installAccuBooks,
  seededRandom,
  seedLargeOrganisation,
} from '../../examples/accubooks';
import { type RealApplication, startApplication } from '../../test/support/real-application';
import { startTemporal } from '../../test/support/temporal-server';
import type { Bench } from '../support/run-benchmark';
import { ByHand } from './by-hand';
import type { Scale } from './scale';
import { SERVER_SETTINGS } from './settings';
import { BenchWorker } from './worker';

const TASK_QUEUE = 'chronawflow';

/** Everything real that both sides work on. */
export interface Scene {
  readonly app: RealApplication;
  /** As a superuser. */
  readonly database: Pool;
  /** As AccuBooks itself connects. */
  readonly office: Pool;
  readonly tenants: {
    readonly small: string;
    readonly large: string;
    readonly bystanders: readonly string[];
  };
  readonly chronawflow: Chronawflow;
  readonly worker: BenchWorker;
  readonly byHand: ByHand;
}

export async function openScene(bench: Bench, scale: Scale): Promise<Scene> {
  const { progress, cleanUp, signal } = bench;
  const { app, temporal } = await progress.during('start PostgreSQL, pgBackRest and Temporal', () =>
    startServers(bench),
  );
  const tenants = await seedTenants(bench, scale, app.superuser);

  const configFile = join(app.directory, 'chronawflow.yaml');
  await writeFile(configFile, app.configText, { mode: 0o600 });
  const worker = new BenchWorker({
    directory: join(app.directory, 'worker'),
    configFile,
    temporal: { address: temporal.address, namespace: temporal.namespace, taskQueue: TASK_QUEUE },
  });
  cleanUp.add(() => worker.stop());
  await progress.during('start the worker', () => worker.start(signal));
  const chronawflow = await Chronawflow.connect({ configFile });
  cleanUp.add(() => chronawflow.close());

  const byHand = new ByHand(
    {
      directory: join(app.directory, 'by-hand'),
      bin: app.cluster.bin.directory,
      pgBackRest: app.repository.program,
      pgBackRestConfig: app.repository.configFile,
      stanza: app.repository.stanza,
      live: {
        socketDirectory: app.cluster.socketDirectory,
        port: app.cluster.port,
        database: APPLICATION.database,
      },
    },
    signal,
  );
  cleanUp.add(() => byHand.remove());
  const office = app.cluster.connect(APPLICATION.database, ACCUBOOKS_ROLE, 10);
  return { app, database: app.superuser, office, tenants, chronawflow, worker, byHand };
}

async function startServers({ cleanUp }: Bench) {
  const startingTemporal = startTemporal();
  cleanUp.add(async () => (await startingTemporal.catch(() => undefined))?.stop());
  const temporal = await startingTemporal;
  const startingApp = startApplication({
    settings: SERVER_SETTINGS,
    schema: (superuser) => installAccuBooks(superuser),
    config: {
      temporal: { address: temporal.address, namespace: temporal.namespace, taskQueue: TASK_QUEUE },
      tenancy: accuBooksTenancy,
      recovery: { approvals: 0 },
    },
  });
  cleanUp.add(async () => (await startingApp.catch(() => undefined))?.stop());
  return { temporal, app: await startingApp };
}

async function seedTenants({ progress }: Bench, scale: Scale, pool: Pool): Promise<Scene['tenants']> {
  let seed = 0;
  const organisation = async (name: string, rows: number) => {
    seed += 1;
    const { id } = await progress.during(`${name}: ${rows.toLocaleString('en')} rows`, () =>
      seedLargeOrganisation(pool, { name, rows }, seededRandom(seed)),
    );
    return id;
  };
  const small = await organisation('the small tenant', scale.smallRows);
  const large = await organisation('the large tenant', scale.largeRows);
  const bystanders: string[] = [];
  for (const rows of scale.bystanders) bystanders.push(await organisation('a bystander', rows));
  return { small, large, bystanders };
}
