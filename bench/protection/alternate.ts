import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import { median } from '../support/statistics.pure';

/** One side of a comparison: does the thing once. */
export interface Side {
  readonly name: string;
  readonly call: () => Promise<unknown>;
}

export interface Work {
  readonly rounds: number;
  /** Of each side in each round. */
  readonly calls: number;
}

/**
 * Nanoseconds per call of each side, the median over the rounds. The sides take turns in every round, so that whatever
 * else the machine does hits all of them.
 */
export async function alternate(sides: readonly Side[], work: Work): Promise<(name: string) => number> {
  const taken = new Map<string, number[]>();
  for (const { name, call } of sides) {
    taken.set(name, []);
    await nsPerCall(call, Math.ceil(work.calls / 5));
  }
  for (let round = 0; round < work.rounds; round += 1) {
    for (const { name, call } of sides) taken.get(name)?.push(await nsPerCall(call, work.calls));
  }
  return (name) => {
    const values = taken.get(name);
    if (values === undefined) throw new MeasurementInvalidError(`'${name}' was not measured`);
    return median(values);
  };
}

async function nsPerCall(call: () => Promise<unknown>, calls: number): Promise<number> {
  const started = process.hrtime.bigint();
  for (let i = 0; i < calls; i += 1) await call();
  return Number(process.hrtime.bigint() - started) / calls;
}
