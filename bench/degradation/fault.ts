import { runBooksFault } from '../../test/support/books-fault';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

/** AccuBooks with two web and three worker processes while the service that reports ask is slow, without and with the platform. */
export async function measureFault({ quick, progress }: Bench): Promise<Measured> {
  const faultMs = quick ? 6_000 : 40_000;
  const without = await progress.during('AccuBooks without the platform', () =>
    runBooksFault(false, faultMs),
  );
  const beside = await progress.during('AccuBooks with the platform', () => runBooksFault(true, faultMs));
  const { detectToAppliedIntervals = Number.NaN, backToNormalMs = Number.NaN } = beside;
  return {
    figures: {
      detect_to_applied_intervals: detectToAppliedIntervals,
      core_served_pct: beside.coreServedPct,
      core_served_without_pct: without.coreServedPct,
      back_to_normal_s: backToNormalMs / 1_000,
    },
    text: table(
      `A slow service for ${faultMs / 1_000} s (interval 1 s, dwell 8 s)`,
      ['', 'core requests', 'served %', 'detected to applied, intervals', 'back to normal, s'],
      [
        ['without the platform', without.coreAsked, without.coreServedPct.toFixed(2), '', ''],
        [
          'with it',
          beside.coreAsked,
          beside.coreServedPct.toFixed(2),
          detectToAppliedIntervals.toFixed(2),
          (backToNormalMs / 1_000).toFixed(1),
        ],
      ],
    ),
  };
}
