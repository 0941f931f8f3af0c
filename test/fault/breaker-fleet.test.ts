import type { Pool } from 'pg';
import { applyMigrations } from '../../database';
import { BreakerMember } from '../support/breaker-fleet';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from '../support/toxiproxy';
import { until } from '../support/until';

/** Four processes with one breaker, their database behind a network that breaks, and kill -9. */

let postgres: RealPostgres;
let toxiproxy: Toxiproxy;
let proxy: ToxicProxy;
let pool: Pool;
const cleanUp = new CleanUp();

beforeAll(async () => {
  postgres = await startPostgres({ tcp: true });
  toxiproxy = await startToxiproxy();
  pool = await postgres.createDatabase('platform');
  await applyMigrations(pool, 'platform');
  proxy = await toxiproxy.proxy(`127.0.0.1:${postgres.port}`);
});
afterEach(async () => {
  await cleanUp.run();
  await toxiproxy.reset();
  await pool.query(
    'truncate chronawflow.breaker_observer, chronawflow.breaker_vote, chronawflow.breaker_state',
  );
});
afterAll(async () => {
  await toxiproxy?.stop();
  await postgres?.stop();
});

async function fleet(size: number, breakFor = 300_000): Promise<BreakerMember[]> {
  const connection = { ...postgres.connection('platform'), host: proxy.host, port: proxy.port };
  const members = Array.from({ length: size }, () => new BreakerMember(connection, breakFor));
  for (const member of members) cleanUp.add(() => member.kill());
  for (const member of members) await member.goesOn();
  await until(async () => (await countOf('breaker_observer')) === size, {
    what: 'all members to be seen',
    limitMs: 60_000,
  });
  return members;
}

async function countOf(table: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from chronawflow.${table}`);
  return rows[0]?.n ?? Number.NaN;
}

/** Until every observer given has told and heard twice more: what was there before has been seen by all of them. */
async function twoRounds(members: readonly BreakerMember[]): Promise<void> {
  const observers = members.map(({ observer }) => observer);
  for (const _ of [1, 2]) {
    const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
    await until(
      async () => {
        const { rows: seen } = await pool.query(
          'select 1 from chronawflow.breaker_observer where id = any ($1) and seen_at > $2::timestamptz',
          [observers, rows[0]?.now],
        );
        return seen.length === observers.length;
      },
      { what: 'a round of every member', limitMs: 60_000 },
    );
  }
}

test('one bad process opens its own breaker, two open all; those killed count no more, and the rest comes back', async () => {
  const members = await fleet(4, 1_000);
  const [a, b, c, d] = members;
  if (!a || !b || !c || !d) throw new Error('the fleet is not complete');
  a.sees('down');
  await until(async () => (await countOf('breaker_vote')) === 1, {
    what: 'the vote of the bad process',
    limitMs: 60_000,
  });
  await twoRounds([b, c, d]);
  expect([b.kind, c.kind, d.kind]).toEqual(['closed', 'closed', 'closed']);

  let sharedSeen = 0;
  for (const member of [c, d])
    void member
      .until(() => member.reason === 'shared', 'the opening')
      .then(
        () => {
          sharedSeen += 1;
        },
        () => undefined,
      );
  b.sees('down');
  await until(() => sharedSeen === 2, { what: 'the breaker to be open for all', limitMs: 60_000 });

  await Promise.all([a.kill(), b.kill()]);
  for (const member of [c, d]) await member.is('closed');
  await until(
    async () => {
      const { rows } = await pool.query<{ state: string }>('select state from chronawflow.breaker_state');
      return rows[0]?.state === 'closed';
    },
    { what: 'the breaker to be closed for all', limitMs: 60_000 },
  );
  expect([await c.stop(), await d.stop()]).toEqual([0, 0]);
}, 240_000);

/** Two of them cover both ways of losing a database, with and without an answer; all of them take two minutes. */
const FAULTS: readonly (readonly [string, () => Promise<() => Promise<void>>])[] = [
  [
    'crashed',
    async () => {
      await postgres.halt('immediate');
      return () => postgres.start();
    },
  ],
  ['silent', () => proxy.add({ type: 'timeout', attributes: { timeout: 0 } })],
  ['slow beyond every limit', () => proxy.add({ type: 'latency', attributes: { latency: 5_000 } })],
  ['resetting', () => proxy.add({ type: 'reset_peer', attributes: { timeout: 50 } })],
  [
    'unreachable',
    async () => {
      await proxy.disable();
      return () => proxy.enable();
    },
  ],
];
const TRIED = process.env.CHRONAWFLOW_ALL_FAULTS === undefined ? FAULTS.slice(0, 2) : FAULTS;

test.each(TRIED)(
  'while the database is %s every process decides by itself and waits for nothing, and afterwards they agree',
  async (_, breakIt) => {
    const [a, b, c] = await fleet(3);
    if (!a || !b || !c) throw new Error('the fleet is not complete');
    const mend = await breakIt();
    await a.until(() => !a.reachable, 'the loss of the database');
    a.sees('down');
    b.sees('down');
    await Promise.all([a.is('open'), b.is('open')]);
    await Promise.all([a, b, c].map((member) => member.goesOn()));
    expect(c.kind).toBe('closed');
    await mend();
    await c.until(() => c.kind === 'open' && c.reason === 'shared', 'the opening of all');
    await c.until(() => c.reachable, 'the database again');
    await Promise.all([a, b, c].map(async (member) => expect(await member.stop()).toBe(0)));
    expect([await countOf('breaker_observer'), await countOf('breaker_vote')]).toEqual([0, 0]);
  },
  240_000,
);
