import type { ConnectionSettings } from '../../database';
import { FleetMember, FleetRecord, type FleetRule } from '../../test/support/rate-limit-fleet';
import type { ToxicProxy } from '../../test/support/toxiproxy';
import { until } from '../../test/support/until';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

const PER_SECOND = 2_000;
const GLOBAL = { localShare: 0.25 };
/** More than the limit, so that it is the limit that decides. */
const OVERLOAD = 1.3;
const LOST_MS = 5_000;
const BACK_MS = 3_000;

interface Case {
  /** Of the figures: `global_<name>_use_pct`. */
  readonly name: string;
  readonly title: string;
  readonly rule: FleetRule;
  /** How long until its limit decides. */
  readonly settleMs: number;
  /** Whole windows, over which the use is measured. */
  readonly upMs: number;
  /** Most that was admitted, as a share of the limit. */
  most(record: FleetRecord): number;
}

const fixed = (window: number): Case => ({
  name: 'fixed',
  title: `fixed window, ${window / 1_000} s`,
  rule: { kind: 'fixed-window', limit: (PER_SECOND * window) / 1_000, window, global: GLOBAL },
  // The fleet starts in the middle of a window.
  settleMs: 2_000,
  upMs: 10_000,
  most: (record) => Math.max(...record.windows(window)) / ((PER_SECOND * window) / 1_000),
});

const sliding = (window: number): Case => ({
  name: `sliding_${window / 1_000}s`,
  title: `sliding window, ${window / 1_000} s, any interval`,
  rule: { kind: 'sliding-window', limit: (PER_SECOND * window) / 1_000, window, global: GLOBAL },
  settleMs: 2_000 + window,
  upMs: Math.max(window, 10_000),
  most: (record) => record.mostWithin(window) / ((PER_SECOND * window) / 1_000),
});

const bucket = (seconds: number): Case => ({
  name: 'bucket',
  title: `token bucket, ${seconds} s of its rate at once`,
  rule: { kind: 'token-bucket', capacity: PER_SECOND * seconds, refillPerSecond: PER_SECOND, global: GLOBAL },
  // What it held at first is used up by the overload.
  settleMs: 2_000 + (seconds * 1_000) / (OVERLOAD - 1),
  upMs: 10_000,
  most: (record) => record.neededCapacity(PER_SECOND) / (PER_SECOND * seconds),
});

const CASES = [fixed(1_000), sliding(20_000), sliding(2_000), bucket(2)];

/**
 * Four processes with 97, 1, 1 and 1 % of the load: what they admit of the limit, with the database up, lost and back.
 * The goals are judged by the worst of all rules.
 */
export async function measureAccuracy(
  bench: Bench,
  connection: ConnectionSettings,
  proxies: readonly ToxicProxy[],
): Promise<Measured> {
  const cases = bench.quick ? CASES.filter(({ settleMs }) => settleMs < 5_000) : CASES;
  const runs: FleetRun[] = [];
  for (const one of cases) {
    runs.push(
      await bench.progress.during(`four processes, ${one.title}`, () =>
        runFleet(bench, connection, proxies, one, bench.quick ? 4_000 : one.upMs),
      ),
    );
  }
  return {
    text: table(
      'Four processes, load 97/1/1/1, database up, lost and back',
      ['rule', '% over, at most', '% of the limit used, database up', 'leases a second'],
      runs.map(({ title, overPct, usePct, leasesPerSecond }) => [
        title,
        overPct.toFixed(1),
        usePct.toFixed(1),
        leasesPerSecond.toFixed(1),
      ]),
    ),
    figures: {
      global_over_pct: Math.max(...runs.map(({ overPct }) => overPct)),
      global_use_pct: Math.min(...runs.map(({ usePct }) => usePct)),
      global_statements_per_second: Math.max(...runs.map(({ leasesPerSecond }) => leasesPerSecond)),
      ...Object.fromEntries(
        runs.flatMap(({ name, overPct, usePct }) => [
          [`global_${name}_over_pct`, overPct],
          [`global_${name}_use_pct`, usePct],
        ]),
      ),
    },
  };
}

interface FleetRun extends Case {
  readonly overPct: number;
  readonly usePct: number;
  readonly leasesPerSecond: number;
}

async function runFleet(
  bench: Bench,
  connection: ConnectionSettings,
  proxies: readonly ToxicProxy[],
  one: Case,
  upMs: number,
): Promise<FleetRun> {
  const perMs = (PER_SECOND / 1_000) * OVERLOAD;
  const members = proxies.map(({ host, port }, index) => {
    const load = perMs * (index === 0 ? 0.97 : 0.01);
    const member = new FleetMember({ ...connection, host, port }, one.rule, load);
    bench.cleanUp.add(() => member.kill());
    return member;
  });
  await Promise.all(members.map((member) => member.started()));
  const began = Date.now();
  const settled = Math.ceil((began + one.settleMs) / 1_000) * 1_000;
  const lost = settled + upMs;
  await reach(lost);
  await Promise.all(proxies.map((proxy) => proxy.disable()));
  await reach(lost + LOST_MS);
  await Promise.all(proxies.map((proxy) => proxy.enable()));
  await reach(lost + LOST_MS + BACK_MS);
  const statistics = await Promise.all(members.map((member) => member.stop()));
  const record = new FleetRecord(members);
  const leases = statistics.reduce((sum, { leases }) => sum + leases, 0);
  return {
    ...one,
    overPct: 100 * (one.most(record) - 1),
    usePct: (100 * record.between(settled, lost)) / ((PER_SECOND * upMs) / 1_000),
    // While the database is lost nobody leases.
    leasesPerSecond: leases / ((lost + BACK_MS - began) / 1_000),
  };
}

function reach(time: number): Promise<void> {
  return until(() => Date.now() >= time, { limitMs: 300_000, what: 'the load to run' });
}
