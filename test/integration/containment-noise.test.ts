import type { Pool } from 'pg';
import { judgeNoise, type NoiseState, readUses } from '../../core/containment';
import { createPool } from '../../database';
import { type JobDatabase, startJobDatabase } from '../support/job-database';
import { until } from '../support/until';

/** By which a tenant is found that takes others down: each signal on a real database. */

let database: JobDatabase;
let app: Pool;
const WINDOW_MS = 600_000;

beforeAll(async () => {
  database = await startJobDatabase({ connections: 10 });
  app = database.pool;
}, 240_000);
afterAll(() => database?.stop());

test('work in flight is what holds a permit now, not what waits, is over, or was lost', async () => {
  await app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     select tenant, 'x', tenant || state || n, 'f', '{}', 3, state, clock_timestamp(), clock_timestamp() + lease
     from (values ('a', 'running', 6, interval '1 hour'), ('a', 'waiting', 50, null),
       ('b', 'handed', 2, interval '1 hour'), ('b', 'done', 9, null)) v (tenant, state, many, lease), generate_series(1, many) n`,
  );
  await app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     values ('b', 'x', 'lost', 'f', '{}', 3, 'running', clock_timestamp(), clock_timestamp() - interval '1 minute')`,
  );
  const { 'in-flight': inFlight = [] } = await readUses(app, WINDOW_MS);
  expect(inFlight.toSorted((x, y) => y.value - x.value)).toEqual([
    { tenant: 'a', value: 6 },
    { tenant: 'b', value: 2 },
  ]);
});

test('errors are the failed attempts of the window', async () => {
  await app.query(
    `insert into chronawflow.job_outcome (tenant, type, since, succeeded, failed)
     values ('a', 'x', clock_timestamp(), 10, 80), ('a', 'y', clock_timestamp(), 0, 10), ('b', 'x', clock_timestamp(), 95, 5),
       ('b', 'y', clock_timestamp() - interval '1 hour', 0, 500)`,
  );
  const { errors = [] } = await readUses(app, WINDOW_MS);
  expect(errors.toSorted((x, y) => y.value - x.value)).toEqual([
    { tenant: 'a', value: 90 },
    { tenant: 'b', value: 5 },
  ]);
});

test('database time is what sessions that name their tenant work at, and the loudest is found by it', async () => {
  const connection = database.postgres.connection('app');
  const session = (tenant: string) =>
    createPool(connection, { applicationName: `web tenant=${tenant} eu`, max: 4 });
  const [loud, quiet, idle] = [session('a'), session('b'), session('c')];
  const unnamed = createPool(connection, { applicationName: 'web', max: 1 });
  const pools = [loud, quiet, idle, unnamed];
  await idle.query('select 1');
  // Ended by the server below.
  const working = [loud, loud, loud, quiet, unnamed].map((pool) =>
    pool.query('select pg_sleep(600)').catch((error: unknown) => error),
  );
  try {
    const use = async () => (await readUses(app, WINDOW_MS))['database-time'] ?? [];
    await until(async () => (await use()).reduce((sum, { value }) => sum + value, 0) === 4, {
      what: 'four sessions to work',
    });
    const seen = await use();
    expect(seen.toSorted((x, y) => y.value - x.value)).toEqual([
      { tenant: 'a', value: 3 },
      { tenant: 'b', value: 1 },
    ]);
    const rule = {
      share: 0.5,
      least: { 'in-flight': 100, errors: 1_000, 'database-time': 4 },
      looks: 2,
      except: [],
    };
    let state: NoiseState = new Map();
    const found = [];
    for (let look = 0; look < 2; look += 1) {
      const [next, noisy] = judgeNoise(state, await readUses(app, WINDOW_MS), rule);
      state = next;
      found.push(noisy);
    }
    expect(found).toEqual([[], [{ tenant: 'a', signal: 'database-time', share: 0.75 }]]);
  } finally {
    await app.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'web%' and pid <> pg_backend_pid()`,
    );
    await Promise.all(working);
    for (const pool of pools) await pool.end();
  }
});

test('a signal that cannot be read is left out, and the others are read all the same', async () => {
  await app.query(
    `create role half login; grant usage on schema chronawflow to half; grant select on chronawflow.job to half`,
  );
  const uses = await readUses(database.postgres.connect('app', 'half'), WINDOW_MS);
  expect(uses.errors).toBeUndefined();
  expect(uses['in-flight']).toHaveLength(2);
  expect(uses['database-time']).toBeDefined();
});
