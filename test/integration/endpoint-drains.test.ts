import { parseConfig } from '../../config';
import { FailureDomainManager, readDiscoveries } from '../../core/failure-domains';
import {
  drainProgress,
  EndpointDrains,
  EndpointSet,
  endDrain,
  leaseDrain,
  readEndpoints,
} from '../../core/health';
import { applyMigrations } from '../../database';
import { configWith } from '../support/degradation-policy';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let postgres: RealPostgres;
let platform: Awaited<ReturnType<RealPostgres['createDatabase']>>;
beforeAll(async () => {
  postgres = await startPostgres();
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
}, 240_000);
afterAll(() => postgres?.stop());

const chosen = (set: EndpointSet) => {
  const seen = new Set<string>();
  for (let n = 0; n < 200; n += 1) {
    const endpoint = set.choose();
    seen.add(endpoint);
    set.answered(endpoint, { ok: true, ms: 1 });
  }
  return [...seen].sort();
};
const at = { service: 'tax', endpoint: 'a' };
const HOUR_MS = 3_600_000;

test('a drained endpoint gets nothing new, another takes over, and its end leaves what was before', async () => {
  const set = new EndpointSet({ endpoints: ['a', 'b'], outlier: { slowStartMs: 1 } });
  const drains = new EndpointDrains({ pool: platform, everyMs: 50 });
  drains.follow('tax', set);
  drains.start();
  try {
    // One of the two at each: the second choice is the one with less under way.
    expect([set.choose(), set.choose()].sort()).toEqual(['a', 'b']);
    set.answered('b', { ok: true, ms: 1 });
    expect(await leaseDrain(platform, { ...at, redirect: 'c' }, { by: 'me', leaseMs: HOUR_MS })).toBe(true);
    await until(() => chosen(set).join() === 'b,c', { what: 'b and c alone to be chosen' });
    await until(async () => (await drainProgress(platform, at)).processes === 1);
    expect((await drainProgress(platform, at)).inFlight).toBe(1);
    set.answered('a', { ok: true, ms: 1 });
    await until(async () => (await drainProgress(platform, at)).inFlight === 0);

    expect(await leaseDrain(platform, at, { by: 'somebody else', leaseMs: HOUR_MS })).toBe(false);
    await endDrain(platform, at, 'somebody else');
    expect(chosen(set)).not.toContain('a');
    await endDrain(platform, at, 'me');
    await until(() => chosen(set).join() === 'a,b', { what: 'a to come back, and c to go' });
    expect(await drainProgress(platform, at)).toEqual({ processes: 0, inFlight: 0 });
    // Told by a round that was under way when the drain ended.
    await platform.query(
      'insert into chronawflow.endpoint_drain_process (service, endpoint, process, in_flight) values ($1, $2, $3, 1)',
      [at.service, at.endpoint, 'late'],
    );
    expect(await drainProgress(platform, at)).toEqual({ processes: 0, inFlight: 0 });
  } finally {
    await drains.stop();
  }
}, 240_000);

beforeEach(() =>
  platform.query(
    'truncate chronawflow.endpoint_drain, chronawflow.endpoint_drain_process, chronawflow.endpoint_known',
  ),
);

test('endpoints that processes choose among are parts of the graph of failure domains, for a day', async () => {
  const processes = [
    ['a', 'b'],
    ['b', 'c'],
  ].map((endpoints) => {
    const drains = new EndpointDrains({ pool: platform, everyMs: 50 });
    drains.follow('tax', new EndpointSet({ endpoints }));
    drains.start();
    return drains;
  });
  try {
    await until(async () => (await readEndpoints(platform)).length === 3, { what: 'three endpoints' });
    const config = { ...configWith(undefined), tenancy: { table: 'public.nobody' } };
    const parsed = parseConfig(JSON.stringify(config), { file: '/chronawflow.yaml', env: {} });
    // There is no table of tenants: what cannot be read is left out.
    const found = await readDiscoveries(parsed, platform, platform);
    const manager = new FailureDomainManager({ nodes: {} }, found);
    expect(manager.nodes.tax?.needs).toEqual([
      { of: ['endpoint:tax/a', 'endpoint:tax/b', 'endpoint:tax/c'], atLeast: 1, strength: 'hard' },
    ]);
  } finally {
    for (const drains of processes) await drains.stop();
  }
  await platform.query(
    `update chronawflow.endpoint_known set seen_at = now() - interval '25 hours' where endpoint = 'a'`,
  );
  expect((await readEndpoints(platform)).map(({ endpoint }) => endpoint)).toEqual(['b', 'c']);
}, 240_000);

test('a drain ends with its lease, also when the database is away', async () => {
  const set = new EndpointSet({ endpoints: ['a', 'b'], outlier: { slowStartMs: 1 } });
  const drains = new EndpointDrains({ pool: platform, everyMs: 50 });
  drains.follow('tax', set);
  drains.start();
  try {
    // A lease that was over before anybody has looked is followed by another one.
    await until(async () => {
      await leaseDrain(platform, at, { by: 'me', leaseMs: 3_000 });
      return chosen(set).join() === 'b';
    });
    await postgres.halt('immediate');
    await until(() => chosen(set).includes('a'), { what: 'the lease to end' });
  } finally {
    await postgres.start();
    await drains.stop();
  }
}, 240_000);

test('an endpoint that is alone is used all the same', () => {
  const set = new EndpointSet({ endpoints: ['a'] });
  set.drain('a');
  expect(chosen(set)).toEqual(['a']);
});
