import fc from 'fast-check';
import type { Pool } from 'pg';
import { LeaseStore } from '../../core/rate-limit/global/lease-store';
import { type Ledger, lease, type Member } from '../../core/rate-limit/global/ledger.pure';
import type { Slots } from '../../core/rate-limit/global/slots.pure';
import { MEMBER_TTL_MS } from '../../core/rate-limit/global/timing.pure';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

let postgres: RealPostgres;
let pool: Pool;
let stores: LeaseStore[];
let run = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  pool = await postgres.createDatabase('platform');
  await applyMigrations(pool, 'platform');
  stores = ['a', 'b', 'c'].map((name) => new LeaseStore(postgres.connection('platform'), name, 60_000));
});
afterAll(async () => {
  await Promise.all((stores ?? []).map((store) => store.close()));
  await postgres?.stop();
});

async function readLedger(key: string): Promise<Ledger | undefined> {
  const { rows } = await pool.query<Record<string, unknown> & { granted: number[] }>(
    'select slot_ms, back, first, granted, level, second, asked, asked_before from chronawflow.rate_budget where key = $1',
    [key],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    slotMs: Number(row.slot_ms),
    back: Number(row.back),
    first: Number(row.first),
    granted: row.granted,
    level: row.level === null ? undefined : Number(row.level),
    second: Number(row.second),
    asked: Number(row.asked),
    askedBefore: Number(row.asked_before),
  };
}

async function readMembers(): Promise<Member[]> {
  const { rows } = await pool.query<{
    process: string;
    joined: number;
    seen: number;
    rejoined: number | null;
  }>(
    `select process, chronawflow.epoch_ms(least(joined_at, last_seen)) as joined, chronawflow.epoch_ms(last_seen) as seen,
            case when rejoined_at > '-infinity' then chronawflow.epoch_ms(rejoined_at) end as rejoined
     from chronawflow.rate_member`,
  );
  return rows.map((row) => ({
    process: row.process,
    joinedAt: row.joined,
    lastSeen: row.seen,
    rejoinedAt: row.rejoined ?? Number.NEGATIVE_INFINITY,
  }));
}

const SLOTS: readonly Slots[] = [
  { slotMs: 20, back: 5, ahead: 3, refill: undefined, memory: 5 },
  { slotMs: 50, back: 0, ahead: 1, refill: undefined, memory: 0 },
  { slotMs: 20, back: 6, ahead: 3, refill: 1 / 7, memory: 7 },
];

const steps = (main: Slots) =>
  fc.array(
    fc.record({
      process: fc.nat(2),
      wantNow: fc.nat(40),
      needNow: fc.nat(20),
      wantAhead: fc.array(fc.nat(40), { maxLength: 3 }),
      giveBack: fc.record({
        slots: fc.integer({ min: -8, max: 2 }),
        tokens: fc.array(fc.nat(30), { maxLength: 4 }),
      }),
      limit: fc.constantFrom(100, 60),
      // Mostly the same, so that rows are carried on; sometimes the rule is configured anew.
      slots: fc.oneof({ weight: 3, arbitrary: fc.constant(main) }, fc.constantFrom(...SLOTS)),
      late: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
      /** How other processes' rows stand, in milliseconds before now. */
      others: fc.array(
        fc.record({
          seen: fc.integer({ min: -5, max: MEMBER_TTL_MS + 5_000 }),
          rejoined: fc.option(fc.integer({ min: 0, max: 200 })),
          /** How long before it was last seen it joined: often after another one was last seen. */
          there: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.constant(60_000)),
        }),
        { maxLength: 7 },
      ),
      /** Slots that have gone by since the step before; or the clock was set back. */
      passed: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 }), fc.constant(-1_000)),
    }),
    { minLength: 1, maxLength: 12 },
  );

test.each(SLOTS)(
  'rate_grant decides as its model does: %p',
  async (main) => {
    await fc.assert(
      fc.asyncProperty(steps(main), async (sequence) => {
        run += 1;
        const key = `key-${run}`;
        for (const step of sequence) {
          await pool.query('delete from chronawflow.rate_member');
          for (const [index, other] of step.others.entries()) {
            await pool.query(
              `insert into chronawflow.rate_member values ($1, clock_timestamp() - $2 * interval '1 ms',
               coalesce(clock_timestamp() - $3 * interval '1 ms', '-infinity'),
               clock_timestamp() - ($2 + $4) * interval '1 ms')`,
              [`other-${index}`, other.seen, other.rejoined, other.there],
            );
          }
          await pool.query('update chronawflow.rate_budget set first = first - $2 where key = $1', [
            key,
            step.passed,
          ]);
          const store = stores[step.process];
          if (store === undefined) throw new Error('no such process');
          const before = await readLedger(key);
          const now = await store.probe();
          const wish = {
            wantNow: step.wantNow,
            needNow: step.needNow,
            wantAhead: step.wantAhead.slice(0, step.slots.ahead),
            returnFirst: Math.floor(now / step.slots.slotMs) + step.giveBack.slots,
            returned: step.giveBack.tokens,
          };
          const deadline = step.late ? now - 1 : now + 60_000;
          const { limit, slots } = step;
          const of = { key, limit, slots, share: 0.25 };
          const members = await readMembers();
          const grant = await store.lease(of, wish, deadline);
          const name = ['a', 'b', 'c'][step.process] ?? '';
          const seen = [
            ...members,
            { process: name, joinedAt: grant.at, lastSeen: grant.at, rejoinedAt: Number.NEGATIVE_INFINITY },
          ];
          const request = { process: name, ...of, ...wish, deadline };
          const expected = lease(before, seen, request, grant.at);
          expect(grant).toEqual(expected.grant);
          expect(await readLedger(key)).toEqual(expected.ledger);
        }
      }),
      { numRuns: 30 },
    );
  },
  240_000,
);

test('concurrent first statements of one key share one row and one limit', async () => {
  await pool.query('delete from chronawflow.rate_member');
  const slots = { slotMs: 3_600_000, back: 0, ahead: 1, refill: undefined, memory: 0 };
  const of = { key: 'new', limit: 100, slots, share: 0.25 };
  const wish = { wantNow: 30, needNow: 0, wantAhead: [], returnFirst: 0, returned: [] };
  const grants = await Promise.all([...stores, ...stores].map((store) => store.lease(of, wish, 1e18)));
  const granted = grants.reduce((sum, { now }) => sum + now, 0);
  // The hour may end between two of them.
  expect(granted === 100 || new Set(grants.map(({ slot }) => slot)).size > 1).toBe(true);
});

test('rows of a thousand dead processes and of forgotten keys are removed', async () => {
  const [store] = stores;
  await pool.query('delete from chronawflow.rate_member');
  await pool.query(`insert into chronawflow.rate_member
    select 'dead-' || n, clock_timestamp() - interval '1 hour', '-infinity' from generate_series(1, 1000) as n`);
  await pool.query(`insert into chronawflow.rate_budget
    select 'old-' || n, 1000, 0, 0, '{0,0}', 0, 0, 0, clock_timestamp() - interval '1 hour' from generate_series(1, 1000) as n`);
  await store?.heartbeat(1e18, false);
  await store?.sweep();
  const left = await pool.query<{ process: string }>('select process from chronawflow.rate_member');
  expect(left.rows).toEqual([{ process: 'a' }]);
  const keys = await pool.query(`select 1 from chronawflow.rate_budget where key like 'old-%'`);
  expect(keys.rowCount).toBe(0);
});

test('a heartbeat that arrives after its deadline is no sign of life', async () => {
  await pool.query('delete from chronawflow.rate_member');
  expect(await stores[0]?.heartbeat(1, false)).toMatchObject({ late: true });
  expect(await readMembers()).toEqual([]);
});
