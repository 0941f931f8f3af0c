import type { Pool } from 'pg';
import { BreakerRegistry, type SharedBreakerOptions, SharedBreakers } from '../../core/protection';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

/** Several processes' sides of the shared mode, driven round by round in this one. */

let postgres: RealPostgres;
let pool: Pool;
const KEY = { service: 'tax', operation: 'rate', tenant: 'acme' };

beforeAll(async () => {
  postgres = await startPostgres();
  pool = await postgres.createDatabase('platform');
  await applyMigrations(pool, 'platform');
});
afterAll(() => postgres?.stop());
beforeEach(() =>
  pool.query('truncate chronawflow.breaker_observer, chronawflow.breaker_vote, chronawflow.breaker_state'),
);

/** Rounds that a slow machine makes long: nobody is taken for dead between two of them. */
const PATIENT = { lease: '5m', statementLimit: '30s' } as const;

function node(options: SharedBreakerOptions = {}) {
  const registry = new BreakerRegistry({
    breaker: { consecutiveFailures: 1, breakFor: '5m', probes: 1, closeOver: 0 },
  });
  const shared = new SharedBreakers(pool, registry, { ...PATIENT, ...options });
  const breaker = () => registry.get(KEY);
  return {
    shared,
    registry,
    breaker,
    round: () => shared.round(),
    fail: () => breaker().recordCall({ ok: false, durationMs: 1 }),
    kind: () => breaker().getState().state.kind,
  };
}
type Node = ReturnType<typeof node>;
const rounds = async (...nodes: Node[]) => {
  for (const each of nodes) await each.round();
};
const count = async (table: string) => {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from chronawflow.${table}`);
  return rows[0]?.n;
};

test('one bad process opens nobody else’s breaker, two open everybody’s', async () => {
  const [a, b, c] = [node(), node(), node()];
  await rounds(a, b, c);
  a.fail();
  await rounds(a, b, c, a);
  expect([a.kind(), b.kind(), c.kind()]).toEqual(['open', 'closed', 'closed']);
  b.fail();
  await rounds(b, c);
  expect(c.breaker().getState().state).toMatchObject({ kind: 'open', reason: 'shared' });
  await expect(c.breaker().execute(() => 1)).rejects.toThrow('shared');
});

test('what others have told is no second witness', async () => {
  const [a, b, c, d] = [node(), node(), node(), node()];
  a.fail();
  b.fail();
  await rounds(a, b, c, d, c, d);
  expect([c.kind(), d.kind()]).toEqual(['open', 'open']);
  expect(await count('breaker_vote')).toBe(2);
});

test('the share of the processes that are there counts as well as their number', async () => {
  const nodes = Array.from({ length: 8 }, () => node({ quorum: 2, quorumShare: 0.5 }));
  await rounds(...nodes);
  for (const each of nodes.slice(0, 3)) each.fail();
  await rounds(...nodes);
  expect(nodes[7]?.kind()).toBe('closed');
  nodes[3]?.fail();
  await rounds(...nodes.slice(3));
  expect(nodes[7]?.kind()).toBe('open');
});

test('who finds that it works again ends the break of all, and each one probes for itself', async () => {
  const [a, b, c] = [node(), node(), node()];
  a.fail();
  b.fail();
  await rounds(a, b, c);
  expect(c.kind()).toBe('open');
  // Operators let a and b try: both find that it works.
  for (const each of [a, b]) {
    each.breaker().probeNow();
    await each.breaker().execute(() => 1);
  }
  await rounds(a, b, c);
  expect((await pool.query('select state, generation from chronawflow.breaker_state')).rows).toEqual([
    { state: 'closed', generation: '2' },
  ]);
  expect(c.breaker().isOpen()).toBe(false);
  await c.breaker().execute(() => 1);
  expect(c.kind()).toBe('closed');
});

test('a killed process’s votes count no more when its lease is over, by the database’s clock', async () => {
  const [a, b, c] = [node(), node(), node()];
  a.fail();
  await rounds(a);
  await pool.query(`update chronawflow.breaker_observer set seen_at = clock_timestamp() - interval '6 min'`);
  b.fail();
  await rounds(b, c);
  expect(c.kind()).toBe('closed');
});

test('a decision made from what was read before changes nothing any more: an operator’s word wins', async () => {
  const [a, b] = [node(), node()];
  a.fail();
  b.fail();
  await a.round();
  await a.shared.forceClose(KEY, 'the supplier’s status page is wrong', 'grace');
  await rounds(b, a);
  expect([a.kind(), b.kind()]).toEqual(['forced-closed', 'forced-closed']);
  await a.shared.isolate(KEY, 'maintenance', 'grace');
  await rounds(a, b);
  expect([a.kind(), b.kind()]).toEqual(['isolated', 'isolated']);
  await b.shared.release(KEY, 'done', 'grace');
  await rounds(a, b);
  expect([a.kind(), b.kind()]).toEqual(['closed', 'closed']);
});

test('two processes that decide at the same time make one decision', async () => {
  const nodes = Array.from({ length: 6 }, () => node());
  for (const each of nodes) each.fail();
  for (let i = 0; i < 3; i += 1) await Promise.all(nodes.map((each) => each.round()));
  expect((await pool.query('select state, generation from chronawflow.breaker_state')).rows).toEqual([
    { state: 'open', generation: '1' },
  ]);
});

test('a process that was away hears on its return what was decided long ago', async () => {
  const [a, b] = [node(), node()];
  await a.shared.isolate(KEY, 'maintenance', 'grace');
  await rounds(a, b);
  await a.shared.release(KEY, 'done', 'grace');
  await pool.query(`update chronawflow.breaker_state set changed_at = changed_at - interval '1 hour'`);
  await b.round();
  expect(b.kind()).toBe('closed');
  await a.shared.isolate(KEY, 'again', 'grace');
  await b.round();
  await pool.query('delete from chronawflow.breaker_state');
  await b.round();
  expect(b.kind()).toBe('closed');
});

test('the rows of 1,000 killed processes are cleaned', async () => {
  await pool.query(`insert into chronawflow.breaker_observer
    select 'dead/' || n, clock_timestamp() - interval '1 hour' from generate_series(1, 1000) n`);
  await pool.query(`insert into chronawflow.breaker_vote
    select 'tax', 'rate', 'acme', 'dead/' || n, 'failure-rate', 5000 from generate_series(1, 1000) n`);
  const a = node();
  await a.round();
  expect([await count('breaker_observer'), await count('breaker_vote'), a.kind()]).toEqual([1, 0, 'closed']);
});

test('decisions that are long over are cleaned, those of operators are not', async () => {
  await pool.query(`insert into chronawflow.breaker_state
    (service, operation, tenant, generation, state, reason, until, changed_at, changed_by) values
    ('s', 'o', 'closed', 3, 'closed', '', null, clock_timestamp() - interval '2 days', 'x'),
    ('s', 'o', 'open', 3, 'open', '', clock_timestamp() - interval '1 hour', clock_timestamp(), 'x'),
    ('s', 'o', 'isolated', 3, 'isolated', '', null, clock_timestamp() - interval '2 days', 'x')`);
  await node().round();
  const { rows } = await pool.query('select tenant from chronawflow.breaker_state');
  expect(rows).toEqual([{ tenant: 'isolated' }]);
});

test('stopping takes the process and its votes out', async () => {
  const a = node();
  a.fail();
  await a.round();
  await a.shared.stop();
  expect([await count('breaker_observer'), await count('breaker_vote')]).toEqual([0, 0]);
});

test('keys that PostgreSQL cannot hold stay local and hinder nobody', async () => {
  const a = node();
  for (const tenant of ['nul\0', 'x'.repeat(5_000)]) {
    a.registry.get({ ...KEY, tenant }).recordCall({ ok: false, durationMs: 1 });
  }
  a.fail();
  await a.round();
  expect(await count('breaker_vote')).toBe(1);
});

test.each([
  ['quorum', { quorum: 0 }],
  ['quorumShare', { quorumShare: 1.5 }],
  ['lease', { interval: '1s', lease: '1s' }],
])('%s: nonsense is refused (9)', (option, options) => {
  expect(() => new SharedBreakers(pool, new BreakerRegistry(), options)).toThrow(option);
});
