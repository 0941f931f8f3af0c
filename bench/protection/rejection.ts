import { CircuitBreaker } from '../../core/protection';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';
import { alternate, type Side } from './alternate';
import { bareCall, isolatedCockatiel, opossumSide } from './peers';

/** What a call costs that an open breaker turns away, with an error of its own for each, in ns. */
export async function measureRejection(bench: Bench): Promise<Measured> {
  const breaker = new CircuitBreaker({ breakFor: '1h', breakLimit: '1h' });
  breaker.trip('failure-rate');
  const cockatiel = isolatedCockatiel();
  const opossum = opossumSide();
  bench.cleanUp.add(async () => opossum.close());
  opossum.open();
  const sides = [{ name: 'Chronawflow', call: () => breaker.execute(bareCall) }, cockatiel, opossum];
  for (const side of sides) await requireFreshErrors(side);
  const work = bench.quick ? { rounds: 3, calls: 10_000 } : { rounds: 9, calls: 100_000 };
  const ns = await bench.progress.during('rejections', () => alternate(sides.map(rejected), work));
  return {
    text: table(
      'A call that is turned away, each with an error of its own',
      ['side', 'ns per call'],
      sides.map(({ name }) => [name, Math.round(ns(name))]),
    ),
    figures: {
      reject_ns: ns('Chronawflow'),
      cockatiel_reject_ns: ns(cockatiel.name),
      opossum_reject_ns: ns('opossum'),
    },
  };
}

const rejected = ({ name, call }: Side): Side => ({ name, call: () => errorOf(call) });

async function errorOf(call: Side['call']): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new MeasurementInvalidError('an open breaker let a call pass');
}

async function requireFreshErrors({ name, call }: Side): Promise<void> {
  const [one, other] = [await errorOf(call), await errorOf(call)];
  if (one === other || !(one instanceof Error)) {
    throw new MeasurementInvalidError(`${name} does not reject with an Error of its own each time`);
  }
}
