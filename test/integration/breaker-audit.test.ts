import type { Pool } from 'pg';
import { AuditTransitions, BreakerRegistry } from '../../core/protection';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** For writing what waits, on a busy machine. */
const LIMIT_MS = 60_000;

let postgres: RealPostgres;
let pool: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  pool = await postgres.createDatabase('platform');
  await applyMigrations(pool, 'platform');
});
afterAll(() => postgres?.stop());

const scene = (tenant: string, options = {}) => {
  const registry = new BreakerRegistry({ breaker: { consecutiveFailures: 1 } });
  const audit = new AuditTransitions(pool, registry, options);
  const breaker = registry.get({ service: 'tax', operation: 'rate', tenant });
  const actions = async () => {
    const { rows } = await pool.query<{ action: string }>(
      'select action from chronawflow.audit_event where tenant = $1 order by at',
      [tenant],
    );
    return rows.map(({ action }) => action);
  };
  return { audit, breaker, actions };
};

test('every transition is an audit event, with its tenant, what it was before and why', async () => {
  const { audit, breaker } = scene('acme');
  breaker.recordCall({ ok: false, durationMs: 1 });
  breaker.isolate('the supplier asked for quiet');
  breaker.release();
  expect(await audit.close(LIMIT_MS)).toBe(0);
  const { rows } = await pool.query(
    'select actor, action, tenant, object, outcome, details from chronawflow.audit_event where tenant = $1 order by at',
    ['acme'],
  );
  expect(rows).toMatchObject([
    {
      actor: 'chronawflow',
      action: 'breaker.open',
      tenant: 'acme',
      object: 'tax/rate',
      outcome: 'ok',
      details: { from: 'closed', to: 'open', why: 'consecutive-failures', attempt: 1 },
    },
    { action: 'breaker.isolate', details: { from: 'open', why: 'the supplier asked for quiet' } },
    { action: 'breaker.close', details: { from: 'isolated' } },
  ]);
});

test('events of a time without the database are written in their order when it is back, each once', async () => {
  const { audit, breaker, actions } = scene('birch');
  await postgres.halt('immediate');
  for (let i = 0; i < 3; i += 1) {
    breaker.isolate('test');
    breaker.release();
  }
  await postgres.start();
  await until(async () => (await actions().catch(() => [])).length === 6, {
    what: 'the events',
    limitMs: LIMIT_MS,
  });
  expect(await actions()).toEqual(
    Array.from({ length: 3 }, () => ['breaker.isolate', 'breaker.close']).flat(),
  );
  expect(await audit.close(LIMIT_MS)).toBe(0);
});

test('more events than may wait are dropped, the oldest first, and their number is recorded', async () => {
  const { audit, breaker, actions } = scene('cedar', { limit: 2 });
  await postgres.halt('immediate');
  for (let i = 0; i < 3; i += 1) {
    breaker.isolate('test');
    breaker.release();
  }
  await postgres.start();
  await until(async () => (await actions().catch(() => [])).length === 2, {
    what: 'the events',
    limitMs: LIMIT_MS,
  });
  expect(await audit.close(LIMIT_MS)).toBe(0);
  const { rows } = await pool.query<{ details: { count: number } }>(
    `select details from chronawflow.audit_event where action = 'breaker.transitions-dropped'`,
  );
  expect(rows).toEqual([{ details: { count: 4 } }]);
});

test('closing while the database is away ends in a bounded time and says what was lost', async () => {
  const { audit, breaker } = scene('dove');
  await postgres.halt('immediate');
  breaker.isolate('test');
  expect(await audit.close()).toBe(1);
  await postgres.start();
});
