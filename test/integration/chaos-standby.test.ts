import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { abortAll, endFault, injectFault } from '../../core/chaos';
import { findPostgresBin, freePort, stopServer } from '../../core/cluster';
import { standbyCluster } from '../../core/local-stack/chaos/standby-cluster';
import { createPool } from '../../database';
import { type ChaosStage, newLeaseId, startChaosStage } from '../support/chaos-stage';
import { stormRound } from '../support/chaos-storm';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** A standby as the local stack has it, streaming from a primary of its own. */
const cleanUp = new CleanUp();
let primary: RealPostgres;
let stage: ChaosStage;
let standby: ReturnType<typeof createPool>;
let part: ReturnType<typeof standbyCluster>;

beforeAll(async () => {
  primary = await startPostgres({ settings: { wal_level: 'replica', max_wal_senders: 4 } });
  cleanUp.add(() => primary.stop());
  const port = await freePort();
  const directory = join(primary.directory, 'standby');
  part = standbyCluster({
    bin: await findPostgresBin(),
    place: { directory, dataDirectory: join(directory, 'data'), logFile: join(directory, 'server.log') },
    port,
    primary,
  });
  cleanUp.add(() => part.stop());
  await part.start({ progress: () => undefined });
  const database = { host: primary.socketDirectory, port, database: 'postgres', user: 'postgres' };
  standby = createPool(database, { applicationName: 'test', max: 1 });
  standby.on('error', () => undefined);
  cleanUp.add(() => standby.end());
  stage = await startChaosStage({
    targets: {
      standby: { kind: 'postgres', database },
      primary: { kind: 'postgres', database: { ...database, port: primary.port } },
    },
  });
  cleanUp.add(() => stage.stop());
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);
afterEach(async () => {
  await abortAll(stage.host, 'test');
});

const inject = (target: string, durationMs = 600_000) =>
  injectFault(stage.host, stage.programs, {
    ...{ leaseId: newLeaseId(), experiment: 'chaos/test/1', driver: 'postgres.replication-paused', target },
    ...{ parameters: {}, durationMs, termMs: durationMs },
  });

async function paused(): Promise<boolean> {
  const { rows } = await standby.query<{ paused: boolean }>('select pg_is_wal_replay_paused() as paused');
  return rows[0]?.paused ?? false;
}

const seen = async (table: string) =>
  (await standby.query<{ there: boolean }>('select to_regclass($1) is not null as there', [table])).rows[0]
    ?.there;

test('a standby stops replaying, and catches up when the fault is ended', async () => {
  const lease = await inject('standby');
  expect(await paused()).toBe(true);
  const { rows } = await primary
    .connect()
    .query<{ at: string }>('create table public.meanwhile (n int); select pg_current_wal_lsn() as at')
    .then((results) => (Array.isArray(results) ? results.at(-1) : results));
  const received = async () =>
    (
      await standby.query<{ there: boolean }>('select pg_last_wal_receive_lsn() >= $1::pg_lsn as there', [
        rows[0]?.at,
      ])
    ).rows[0]?.there === true;
  // It has everything, and shows nothing of it.
  await until(received, { what: 'the standby to receive it', limitMs: 60_000 });
  expect(await seen('public.meanwhile')).toBe(false);
  await endFault(stage.host, lease, { by: 'test', reason: 'rolled-back' });
  expect(await paused()).toBe(false);
  await until(async () => (await seen('public.meanwhile')) === true, { limitMs: 60_000 });
}, 240_000);

test('it goes on at the deadline without anybody who renews', async () => {
  // Longer than a slow machine needs to inject it.
  const lease = await inject('standby', 12_000);
  await until(async () => !(await paused()), { what: 'the replay to go on', limitMs: 60_000 });
  await until(async () => (await stage.host.journal.find(lease.id)) === undefined, { limitMs: 60_000 });
}, 240_000);

const server = {
  halt: () => stopServer({ dataDirectory: join(primary.directory, 'standby', 'data'), mode: 'immediate' }),
  start: () => part.start({ progress: () => undefined }),
};

test.each(['controller and driver', 'both guards', 'database'] as const)(
  'whoever is killed, it goes on: %s',
  async (victim) => {
    const round = { driver: 'postgres.replication-paused', target: 'standby', victim, moment: 0.6 };
    const times = { durationMs: 10_000, termMs: 5_000, limitMs: 60_000 };
    expect(await stormRound(stage, { ...round, database: server }, times)).toMatchObject({
      injected: true,
      residual: undefined,
    });
  },
  240_000,
);

test('a server that is no standby is refused, and left as it is', async () => {
  await expect(inject('primary')).rejects.toMatchObject({
    code: 'CHAOS_FAULT_NOT_INJECTED',
    message: expect.stringContaining('no standby'),
  });
}, 240_000);

test('a standby that was half made is made anew', async () => {
  await part.stop();
  await rm(join(primary.directory, 'standby', 'data'), { recursive: true });
  await part.start({ progress: () => undefined });
  expect((await part.status()).kind).toBe('running');
}, 240_000);
