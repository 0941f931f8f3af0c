import type { Pool } from 'pg';
import {
  applicationSignals,
  breakerSignals,
  JOB_PRIORITIES,
  type PriorityClass,
  queueSignals,
} from '../../core/degradation';
import { BreakerRegistry, leaseIsolation, SharedBreakers } from '../../core/protection';
import { applyMigrations, inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** What the controllers' process samples, on a real primary with a real standby. */

let primary: RealPostgres;
let standby: RealPostgres;
let app: Pool;
let platform: Pool;

beforeAll(async () => {
  primary = await startPostgres();
  app = await primary.createDatabase('app');
  platform = await primary.createDatabase('platform');
  await Promise.all([applyMigrations(app, 'application'), applyMigrations(platform, 'platform')]);
  await app.query('create table written (n integer)');
  standby = await startPostgres({ standbyOf: primary });
}, 240_000);
afterAll(async () => {
  await standby?.stop();
  await primary?.stop();
});
afterEach(() => app.query('truncate chronawflow.job'));

async function sampled(pool: Pool, held: readonly PriorityClass[] = []): Promise<Record<string, number>> {
  const samples = [...(await queueSignals(pool, () => held)()), ...(await applicationSignals(pool)())];
  return Object.fromEntries(samples.map(({ signal, value }) => [signal, value]));
}

const addJob = (key: string, priority: number, ageMs: number, state = 'waiting') =>
  app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at)
     values ('t', 'mail', $1, 'f', '{}', $2, $3, clock_timestamp() - $4 * interval '1 millisecond')`,
    [key, priority, state, ageMs],
  );

test('queue age is that of the oldest job that could run, of the classes that do not wait on purpose', async () => {
  expect(await sampled(app)).toMatchObject({ 'queue-age': 0 });
  await addJob('urgent', 1, 10_000);
  await addJob('usual', 3, 600_000);
  await addJob('whenever', 5, 6_000_000);
  await addJob('not yet', 1, -3_600_000);
  await addJob('over', 1, 7_200_000, 'done');
  const ageOf = async (held: readonly PriorityClass[]) => (await sampled(app, held))['queue-age'];
  expect(await ageOf([])).toBeGreaterThanOrEqual(6_000_000);
  const withoutLow = await ageOf(['low']);
  expect(withoutLow).toBeGreaterThanOrEqual(600_000);
  expect(withoutLow).toBeLessThan(6_000_000);
  const high = await ageOf(['low', 'normal']);
  expect(high).toBeGreaterThanOrEqual(10_000);
  expect(high).toBeLessThan(600_000);
  expect(await ageOf(['low', 'normal', 'high'])).toBe(0);
  expect(Object.values(JOB_PRIORITIES).flat().sort()).toEqual([1, 2, 3, 4, 5]);
});

test('open breakers are those that processes have opened for all, and those that a person holds open', async () => {
  const open = async () => [...(await breakerSignals(platform)())];
  expect(await open()).toEqual([{ signal: 'open-breakers', value: 0 }]);
  const processes = Array.from({ length: 3 }, () => {
    const registry = new BreakerRegistry({ breaker: { consecutiveFailures: 1, breakFor: '5m' } });
    return {
      registry,
      shared: new SharedBreakers(platform, registry, { lease: '5m', statementLimit: '30s' }),
    };
  });
  const round = async () => {
    for (const { shared } of processes) await shared.round();
  };
  await round();
  const fail = (nth: number, operation: string) =>
    processes[nth]?.registry
      .get({ service: 'tax', operation, tenant: '' })
      .recordCall({ ok: false, durationMs: 1 });
  fail(0, 'rate');
  await round();
  // One process alone opens nobody else's.
  expect(await open()).toEqual([{ signal: 'open-breakers', value: 0 }]);
  for (const operation of ['rate', 'file']) for (const nth of [1, 2]) fail(nth, operation);
  await round();
  // Two operations of one service are one service.
  expect(await open()).toEqual([{ signal: 'open-breakers', value: 1 }]);
  await inTransaction(platform, (tx) =>
    leaseIsolation(
      tx,
      { service: 'bank', operation: 'pay', tenant: '' },
      { why: 'by hand', by: 'ada', leaseMs: 600_000 },
    ),
  );
  expect(await open()).toEqual([{ signal: 'open-breakers', value: 2 }]);
});

test('replication lag is that of the farthest standby, and grows while its replay stands still', async () => {
  const [replay, write] = [
    standby.connect('postgres'),
    () => app.query('insert into written values (1)').then(() => sampled(app)),
  ];
  await until(async () => ((await write())['replication-lag'] ?? Number.POSITIVE_INFINITY) < 1_000, {
    limitMs: 60_000,
    what: 'the standby to follow',
  });
  await replay.query('select pg_wal_replay_pause()');
  try {
    await until(async () => ((await write())['replication-lag'] ?? 0) > 2_000, {
      limitMs: 60_000,
      what: 'the lag to be seen',
    });
  } finally {
    await replay.query('select pg_wal_replay_resume()');
  }
  await until(async () => ((await write())['replication-lag'] ?? Number.POSITIVE_INFINITY) < 1_000, {
    limitMs: 60_000,
    what: 'the standby to have caught up',
  });
}, 240_000);

test('a role that may not see standbys says nothing of them, and a database without one neither', async () => {
  await app.query(
    `create role plain login; grant usage on schema chronawflow to plain; grant select on chronawflow.job to plain`,
  );
  const plain = await sampled(primary.connect('app', 'plain'));
  expect(Object.keys(plain).sort()).toEqual(['queue-age', 'read-only']);
  expect(Object.keys(await sampled(standby.connect('app'))).sort()).toEqual(['queue-age', 'read-only']);
});

test('a standby refuses writes, and so does a database that was set to read only, in sessions that are open already', async () => {
  expect(await sampled(app)).toMatchObject({ 'read-only': 0 });
  expect(await sampled(standby.connect('app'))).toMatchObject({ 'read-only': 1 });
  const reload = (setting: string) =>
    app.query(`alter system ${setting}`).then(() => app.query('select pg_reload_conf()'));
  const seen = (value: number) =>
    until(async () => (await sampled(app))['read-only'] === value, { what: `read-only to be ${value}` });
  await reload('set default_transaction_read_only = on');
  try {
    await seen(1);
  } finally {
    await reload('reset default_transaction_read_only');
  }
  await seen(0);
});
