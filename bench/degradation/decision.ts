import { decide, INITIAL_STATE } from '../../core/degradation/decide.pure';
import { LevelView } from '../../core/degradation/process/level-view';
import type { Sample } from '../../core/degradation/types';
import { BOOKS, policyWith } from '../../test/support/degradation-policy';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { Bench, Measured } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { table } from '../support/table';

const INSTANCES = 20;
const SIGNALS = ['availability', 'error-rate', 'latency', 'saturation', 'call-error-rate', 'call-latency'];

/** The controller's decision about twenty processes, and what a process asks on the way of every request. */
export async function measureDecision({ quick }: Bench): Promise<Measured> {
  const policy = policyWith(BOOKS);
  const samples: Sample[] = SIGNALS.flatMap((signal) =>
    Array.from({ length: INSTANCES }, (_, nth) => ({
      signal,
      instance: `i${nth}`,
      value: 0.001,
      ageMs: 500,
    })),
  );
  const rounds = quick ? 5 : 11;
  let now = 0;
  let state = INITIAL_STATE;
  const decision_ns = perCall(rounds, quick ? 2_000 : 10_000, () => {
    now += 1_000;
    state = decide(policy, state, samples, now).state;
  });
  if (state.rank !== 0) throw new MeasurementInvalidError('the samples were to keep the level at normal');

  const calls = quick ? 500_000 : 3_000_000;
  const at = (rank: number) => {
    const view = new LevelView(policy, () => performance.now());
    view.enter(rank, undefined, false);
    return view;
  };
  const [normal, limited, returning] = [at(0), at(2), at(2)];
  returning.enter(0, undefined, true);
  let allowed = 0;
  const ask = (view: LevelView, feature: string) => () => {
    if (view.allows(feature)) allowed += 1;
  };
  const allows_ns = perCall(rounds, calls, ask(normal, 'reports'));
  const allows_off_ns = perCall(rounds, calls, ask(limited, 'reports'));
  const allows_returning_ns = perCall(rounds, calls, ask(returning, 'reports'));
  const level_ns = perCall(rounds, calls, () => {
    if (limited.level() === 'limited') allowed += 1;
  });
  const admit_ns = perCall(rounds, calls, () => {
    if (limited.admit({ feature: 'sign-in', priority: 'high' }).admitted) allowed += 1;
  });
  if (allowed === 0) throw new MeasurementInvalidError('nothing was allowed');
  const figures = { decision_ns, allows_ns, allows_off_ns, allows_returning_ns, level_ns, admit_ns };
  return {
    figures,
    text: table(
      'Asking and deciding, nanoseconds',
      ['', 'ns'],
      [
        [`decide: ${samples.length} samples of ${INSTANCES} processes`, Math.round(decision_ns)],
        ["allows('reports'), normal", allows_ns.toFixed(1)],
        ["allows('reports'), off", allows_off_ns.toFixed(1)],
        ["allows('reports'), coming back", allows_returning_ns.toFixed(1)],
        ['level()', level_ns.toFixed(1)],
        ['admit() of what is core', admit_ns.toFixed(1)],
      ],
    ),
  };
}

function perCall(rounds: number, calls: number, call: () => void): number {
  const once = () => {
    const started = process.hrtime.bigint();
    for (let nth = 0; nth < calls; nth += 1) call();
    return Number(process.hrtime.bigint() - started) / calls;
  };
  once();
  return median(Array.from({ length: rounds }, once));
}
