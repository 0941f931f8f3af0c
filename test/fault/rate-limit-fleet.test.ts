import { applyMigrations } from '../../database';
import {
  type FleetBucket,
  FleetMember,
  FleetRecord,
  type FleetRule,
  type FleetWindow,
} from '../support/rate-limit-fleet';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from '../support/toxiproxy';
import { until } from '../support/until';

const RULE: FleetWindow = { kind: 'fixed-window', limit: 2_000, window: 2_000, global: { localShare: 0.25 } };
/** 1.3 times the limit, 97/1/1/1. */
const SPREAD = [97, 1, 1, 1].map((part) => (part / 100) * 1.3);
const EVEN = [0.6, 0.6, 0.6, 0.6];

let postgres: RealPostgres;
let toxiproxy: Toxiproxy;
let proxies: ToxicProxy[];
let members: FleetMember[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ tcp: true, settings: { fsync: true } });
  await applyMigrations(await postgres.createDatabase('platform'), 'platform');
  toxiproxy = await startToxiproxy();
  proxies = await Promise.all([0, 1, 2, 3].map(() => toxiproxy.proxy(`127.0.0.1:${postgres.port}`)));
}, 240_000);
afterEach(async () => {
  await Promise.all(members.map((member) => member.kill()));
  members = [];
  await toxiproxy.reset();
});
afterAll(async () => {
  await toxiproxy?.stop();
  await postgres?.stop();
});

async function start(loads: readonly number[], rule: FleetRule = RULE): Promise<void> {
  members = loads.map((load, index) => member(index, load, rule));
  await Promise.all(members.map((one) => one.started()));
}

function member(index: number, load: number, rule: FleetRule = RULE): FleetMember {
  const proxy = proxies[index];
  if (proxy === undefined) throw new Error(`there is no proxy ${index}`);
  const connection = { ...postgres.connection('platform'), host: proxy.host, port: proxy.port };
  return new FleetMember(connection, rule, load);
}

/** Lets whole windows pass: what is promised is promised for windows, so the test has to live through some. */
async function passWindows(count: number): Promise<void> {
  const end = (Math.floor(Date.now() / RULE.window) + count + 1) * RULE.window;
  await until(() => Date.now() > end, { limitMs: 120_000, what: `${count} windows to pass` });
}

/**
 * The most that was used of a whole window since then, in units a millisecond: waits for one that was used so far, because a busy
 * machine may keep the load from some.
 */
async function used(atLeast: number, from: number, windowMs = RULE.window): Promise<number> {
  let most = 0;
  const look = () => {
    most = Math.max(0, ...new FleetRecord(members).windows(windowMs, from, Date.now())) / windowMs;
    return most >= atLeast;
  };
  await until(look, { what: `a window used to ${atLeast * 100} %` });
  return most;
}

function report(name: string, record: FleetRecord): number {
  return told(name, Math.max(...record.windows(RULE.window)) / RULE.limit);
}

function told(name: string, most: number): number {
  process.stdout.write(`${name}: ${((most - 1) * 100).toFixed(1)} % over the limit at most\n`);
  return most;
}

test('four processes use the limit and stay within it, and a hot tenant costs few statements', async () => {
  await start(SPREAD);
  await passWindows(1);
  const from = Date.now();
  await passWindows(3);
  // The benchmark judges 95 % of all windows on a quiet machine.
  expect(await used(0.9, from)).toBeGreaterThanOrEqual(0.9);
  const statistics = await Promise.all(members.map((one) => one.stop()));
  const record = new FleetRecord(members);
  expect(report('database up, load 97/1/1/1', record)).toBeLessThanOrEqual(1.05);
  const leases = statistics.reduce((sum, one) => sum + one.leases, 0);
  const seconds =
    statistics.reduce((sum, one) => sum + one.asked, 0) / SPREAD.reduce((a, b) => a + b) / 1_000;
  expect(leases / seconds).toBeLessThanOrEqual(10);
}, 300_000);

test('the database lost, and found again: the shares, never more than 5 % over the limit, never a stop', async () => {
  await start(EVEN);
  await passWindows(1);
  await Promise.all(proxies.map((proxy) => proxy.disable()));
  await passWindows(2);
  const lost = Date.now();
  await passWindows(2);
  expect(await used(0.8, lost)).toBeGreaterThanOrEqual(0.8);
  await Promise.all(proxies.map((proxy) => proxy.enable()));
  await passWindows(1);
  const found = Date.now();
  await passWindows(2);
  // Found again: leases, not shares, though one member alone now has most of the load.
  expect(await used(0.8, found)).toBeGreaterThanOrEqual(0.8);
  await Promise.all(members.map((one) => one.stop()));
  const record = new FleetRecord(members);
  expect(report('database lost and found', record)).toBeLessThanOrEqual(1.05);
}, 300_000);

const SLIDING: FleetWindow = { ...RULE, kind: 'sliding-window' };
/** The same rate, and two seconds of it at once. */
const BUCKET: FleetBucket = {
  kind: 'token-bucket',
  capacity: 2_000,
  refillPerSecond: 1_000,
  global: { localShare: 0.25 },
};

test.each([
  ['sliding window', SLIDING, (record: FleetRecord) => record.mostWithin(SLIDING.window) / SLIDING.limit],
  ['bucket', BUCKET, (record: FleetRecord) => record.neededCapacity(1_000) / BUCKET.capacity],
])(
  'four processes use a %s, and stay within it while the database is up, lost and found again',
  async (name, rule, most) => {
    await start(SPREAD, rule);
    await passWindows(1);
    const from = Date.now();
    await passWindows(2);
    // One unit a millisecond. The benchmark judges 95 % on a quiet machine.
    expect(await used(0.85, from, 1_000)).toBeGreaterThanOrEqual(0.85);
    await Promise.all(proxies.map((proxy) => proxy.disable()));
    await passWindows(2);
    await Promise.all(proxies.map((proxy) => proxy.enable()));
    await passWindows(1);
    await members[0]?.kill();
    const statistics = await Promise.all(members.slice(1).map((one) => one.stop()));
    const record = new FleetRecord(members);
    expect(told(`${name}, database up, lost and found, a process killed`, most(record))).toBeLessThanOrEqual(
      1.05,
    );
    expect(statistics.every(({ leases }) => leases > 0)).toBe(true);
  },
  300_000,
);

test('a network that swallows packets, delays and resets them admits no more', async () => {
  await start(EVEN);
  await passWindows(1);
  await proxies[0]?.add({ type: 'timeout', attributes: { timeout: 0 } });
  await proxies[1]?.add({ type: 'latency', attributes: { latency: 150, jitter: 100 } });
  await proxies[2]?.add({ type: 'reset_peer', attributes: { timeout: 300 } });
  await passWindows(3);
  await toxiproxy.reset();
  await passWindows(1);
  await Promise.all(members.map((one) => one.stop()));
  expect(report('swallowed, delayed, reset', new FleetRecord(members))).toBeLessThanOrEqual(1.05);
}, 300_000);

test('tokens of a killed process count as spent, and its successor goes on', async () => {
  await start(SPREAD);
  await passWindows(1);
  await members[0]?.kill();
  members.push(member(0, 1.3));
  await members.at(-1)?.started();
  await passWindows(1);
  const from = Date.now();
  await passWindows(2);
  expect(await used(0.9, from)).toBeGreaterThanOrEqual(0.9);
  await Promise.all(members.slice(1).map((one) => one.stop()));
  const record = new FleetRecord(members);
  expect(report('killed with its leases', record)).toBeLessThanOrEqual(1.05);
}, 300_000);

test('a database that crashes in the middle of leases remembers what it granted', async () => {
  await start(SPREAD);
  await passWindows(1);
  await postgres.halt('immediate');
  await postgres.start();
  await passWindows(3);
  await Promise.all(members.map((one) => one.stop()));
  expect(report('database crashed and restarted', new FleetRecord(members))).toBeLessThanOrEqual(1.05);
}, 300_000);
