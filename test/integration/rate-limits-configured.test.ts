import { join } from 'node:path';
import type { Pool } from 'pg';
import { type Config, parseConfig } from '../../config';
import { PLATFORM, preparePlatformDatabase } from '../../core/local-stack';
import { Metrics } from '../../core/metrics';
import { AuditTransitions, BreakerRegistry, SharedBreakers } from '../../core/protection';
import { ConfiguredRateLimits } from '../../core/rate-limit';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** The section `rateLimits`, and what the role of services is allowed in the control-plane database. */

let postgres: RealPostgres;
let service: Pool;
const open: ConfiguredRateLimits[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  const { host, port } = postgres.connection('postgres');
  await preparePlatformDatabase(
    { host, port, user: 'postgres' },
    { database: PLATFORM.database, role: PLATFORM.role, password: undefined },
  );
  service = postgres.connect(PLATFORM.database, PLATFORM.serviceRole);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => postgres?.stop());

const GLOBAL = { localShare: 0.5 };

function configOf(user: string, rateLimits: object | undefined): Config {
  const raw = {
    platform: { database: postgres.connection(PLATFORM.database, user) },
    application: { database: postgres.connection('app'), backup: { stanza: 'none', configFile: 'none' } },
    tenancy: { table: 'public.tenants' },
    rateLimits,
  };
  return parseConfig(JSON.stringify(raw), { file: join(postgres.directory, 'chronawflow.yaml'), env: {} });
}

async function limits(rateLimits: object, user: string = PLATFORM.serviceRole) {
  const errors: unknown[] = [];
  const started = await ConfiguredRateLimits.start(configOf(user, rateLimits), {
    metrics: new Metrics(),
    onError: (error) => errors.push(error),
  });
  open.push(started);
  return { ...started, started, limiter: started.limiter, errors };
}

test('two services that read the same file have one limit, as the role that is only allowed that', async () => {
  const section = {
    rule: { kind: 'fixed-window', limit: 1_000, window: '1h' },
    resources: { export: { kind: 'token-bucket', capacity: 10, refillPerSecond: 0.001, global: GLOBAL } },
    costs: { year: 6 },
    leaseWait: '10s',
    leaseTimeout: '10s',
  };
  const [one, other] = [await limits(section), await limits(section)];
  expect((await one.limiter.checkRateLimit('acme', 'export', 'year')).allowed).toBe(true);
  expect((await other.limiter.checkRateLimit('acme', 'export', 'year')).allowed).toBe(false);
  // The first one has leased more than it needed, and gives that back.
  await until(async () => (await other.limiter.checkRateLimit('acme', 'export', 4)).allowed);
  expect(await one.limiter.checkRateLimit('acme', 'reports')).toMatchObject({ allowed: true, limit: 1_000 });
  expect([...one.errors, ...other.errors]).toEqual([]);
});

test('an operator’s change reaches a service; the service itself may not make one', async () => {
  const section = { rule: { kind: 'fixed-window', limit: 7, window: '1h' } };
  const follower = await limits(section);
  const operator = await limits(section, PLATFORM.role);
  const rules = { rule: { kind: 'fixed-window', limit: 3, window: '1h' } } as const;
  await operator.started.configureTenant('birch', rules, 'mara');
  await until(async () => (await follower.limiter.checkRateLimit('birch')).limit === 3);
  await expect(follower.started.configureTenant('birch', undefined, 'mallory')).rejects.toThrow(
    /permission denied/,
  );
});

test('the role of services reads and changes nothing else', async () => {
  const { rows } = await service.query<{ name: string; rights: string }>(
    `select c.relname as name, string_agg(p.name, ' ' order by p.name) as rights
     from pg_class c, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as p (name)
     where c.relnamespace = 'chronawflow'::regnamespace and c.relkind in ('r', 'p', 'v')
       and has_table_privilege(c.oid, p.name)
     group by 1 order by 1`,
  );
  const all = 'delete insert select update';
  expect(rows).toEqual([
    { name: 'audit_event', rights: 'insert' },
    { name: 'audit_personal', rights: 'insert' },
    { name: 'breaker_observer', rights: all },
    { name: 'breaker_state', rights: all },
    { name: 'breaker_vote', rights: all },
    { name: 'degradation_level', rights: 'select' },
    { name: 'degradation_process', rights: all },
    { name: 'endpoint_drain', rights: 'select' },
    { name: 'endpoint_drain_process', rights: 'insert select update' },
    { name: 'endpoint_known', rights: 'insert select update' },
    { name: 'rate_budget', rights: all },
    { name: 'rate_member', rights: all },
    { name: 'rate_rule', rights: 'select' },
  ]);
  await expect(service.query('select * from chronawflow.audit_event')).rejects.toThrow(/permission denied/);
});

test('the role of services shares breakers and audits their transitions', async () => {
  const registry = new BreakerRegistry({ breaker: { consecutiveFailures: 1 } });
  const audit = new AuditTransitions(service, registry);
  const shared = new SharedBreakers(service, registry, {
    quorum: 1,
    quorumShare: 0,
    statementLimit: '60s',
  });
  registry
    .get({ service: 'tax', operation: 'rate', tenant: 'acme' })
    .recordCall({ ok: false, durationMs: 1 });
  await shared.round();
  await shared.stop();
  expect(await audit.close(60_000)).toBe(0);
  const platform = postgres.connect(PLATFORM.database);
  const { rows } = await platform.query(
    `select s.state, a.action from chronawflow.breaker_state s, chronawflow.audit_event a where a.object = 'tax/rate'`,
  );
  expect(rows).toEqual([{ state: 'open', action: 'breaker.open' }]);
});

test('a configuration without the section says so', async () => {
  await expect(ConfiguredRateLimits.start(configOf(PLATFORM.serviceRole, undefined))).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    details: { option: 'rateLimits' },
  });
});
