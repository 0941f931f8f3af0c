import { disturbanceOf } from '../../core/injection-points';
import type { Measured } from '../support/run-benchmark';
import { median } from '../support/statistics.pure';
import { table } from '../support/table';

const CALLS = 5_000_000;
const ROUNDS = 7;

/** What a call pays for an injection point that nothing disturbs: the loop with it minus the same loop without. */
export function measureIdleInjection(): Measured {
  const rounds = Array.from({ length: ROUNDS }, () => nanoseconds(withPoint) - nanoseconds(without));
  const idle = Math.max(0, median(rounds));
  return {
    text: table('An injection point that is idle', ['', 'ns a call'], [['disturbanceOf', idle.toFixed(2)]]),
    figures: { idle_injection_ns: idle },
  };
}

function nanoseconds(loop: () => number): number {
  const begun = process.hrtime.bigint();
  const result = loop();
  const took = Number(process.hrtime.bigint() - begun);
  // Used, so that the loop is not thought away.
  return result < 0 ? Number.NaN : took / CALLS;
}

function withPoint(): number {
  let sum = 0;
  for (let call = 0; call < CALLS; call += 1) {
    if (disturbanceOf('service', 'operation', 'tenant') !== undefined) sum -= 1;
    sum = (sum + call) & 0xffff;
  }
  return sum;
}

function without(): number {
  let sum = 0;
  for (let call = 0; call < CALLS; call += 1) sum = (sum + call) & 0xffff;
  return sum;
}
