import type { ConnectionSettings } from '../../database';
import { FleetMember, FleetRecord, type FleetRule } from '../../test/support/rate-limit-fleet';
import type { ToxicProxy } from '../../test/support/toxiproxy';
import { until } from '../../test/support/until';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from './table';

const FIXED: FleetRule = { kind: 'fixed-window', limit: 5_000, window: 1_000, global: { localShare: 0.25 } };
/** Twenty slots of a second: 20/21 of the limit can be used. */
const SLIDING: FleetRule = {
  kind: 'sliding-window',
  limit: 20_000,
  window: 20_000,
  global: { localShare: 0.25 },
};
/** More than the limit, so that it is the limit that decides. */
const OVERLOAD = 1.3;

/** Four processes with 97, 1, 1 and 1 % of the load: what they admit of the limit, with the database up, lost and back. */
export async function measureAccuracy(
  bench: Bench,
  connection: ConnectionSettings,
  proxies: readonly ToxicProxy[],
): Promise<Measured> {
  const fleet = (rule: FleetRule, upMs: number) => runFleet(bench, connection, proxies, rule, upMs);
  const fixed = await bench.progress.during('four processes, fixed window', () =>
    fleet(FIXED, bench.quick ? 4_000 : 20_000),
  );
  const sliding = bench.quick
    ? undefined
    : await bench.progress.during('four processes, sliding window', () => fleet(SLIDING, 40_000));
  const over = 100 * (Math.max(...fixed.record.windows(FIXED.window)) / FIXED.limit - 1);
  const figures = {
    global_over_pct: over,
    global_use_pct: fixed.usePct,
    global_statements_per_second: fixed.leasesPerSecond,
    ...(sliding === undefined
      ? {}
      : {
          global_sliding_over_pct: 100 * (sliding.record.mostWithin(SLIDING.window) / SLIDING.limit - 1),
          global_sliding_use_pct: sliding.usePct,
        }),
  };
  const row = (name: string, most: number, use: number, leases: number) => [
    name,
    most.toFixed(1),
    use.toFixed(1),
    leases.toFixed(1),
  ];
  return {
    text: table(
      'Four processes, load 97/1/1/1, database up, lost and back',
      ['rule', '% over, at most', '% of the limit used, database up', 'leases a second'],
      [
        row('fixed window, 1 s', over, fixed.usePct, fixed.leasesPerSecond),
        ...(sliding === undefined
          ? []
          : [
              row(
                'sliding window, 20 s, any interval',
                figures.global_sliding_over_pct ?? Number.NaN,
                sliding.usePct,
                sliding.leasesPerSecond,
              ),
            ]),
      ],
    ),
    figures,
  };
}

interface FleetRun {
  readonly record: FleetRecord;
  readonly usePct: number;
  readonly leasesPerSecond: number;
}

async function runFleet(
  bench: Bench,
  connection: ConnectionSettings,
  proxies: readonly ToxicProxy[],
  rule: FleetRule,
  upMs: number,
): Promise<FleetRun> {
  const perMs = (rule.limit / rule.window) * OVERLOAD;
  const members = proxies.map(({ host, port }, index) => {
    const member = new FleetMember({ ...connection, host, port }, rule, perMs * (index === 0 ? 0.97 : 0.01));
    bench.cleanUp.add(() => member.kill());
    return member;
  });
  await Promise.all(members.map((member) => member.started()));
  const began = Date.now();
  // The fleet starts in the middle of a window; a sliding one has to be filled once before its limit decides.
  const settled =
    Math.ceil((began + 2_000 + (rule.kind === 'fixed-window' ? 0 : rule.window)) / 1_000) * 1_000;
  const lost = settled + upMs;
  await reach(lost);
  await Promise.all(proxies.map((proxy) => proxy.disable()));
  await reach(lost + 5_000);
  await Promise.all(proxies.map((proxy) => proxy.enable()));
  await reach(lost + 8_000);
  const statistics = await Promise.all(members.map((member) => member.stop()));
  const record = new FleetRecord(members);
  return {
    record,
    usePct: (100 * record.between(settled, lost)) / ((rule.limit * upMs) / rule.window),
    leasesPerSecond: statistics.reduce((sum, one) => sum + one.leases, 0) / ((lost + 8_000 - began) / 1_000),
  };
}

function reach(time: number): Promise<void> {
  return until(() => Date.now() >= time, { limitMs: 300_000, what: 'the load to run' });
}
