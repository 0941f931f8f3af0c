/** Fills the breakers of one side and prints their bytes per key; the program of `memory.ts`. */
import { CountBreaker, circuitBreaker, handleAll, SamplingBreaker } from 'cockatiel';
import OpossumBreaker from 'opossum';
import { BreakerRegistry } from '../../core/protection';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';

/** More than any window here holds, a third of them failures, which opens none of them. */
const CALLS = 120;
const isFailure = (call: number) => call % 3 === 0;

type Fill = (keys: readonly string[]) => Promise<unknown>;

const SIDES: Readonly<Record<string, Fill>> = {
  'chronawflow-count': async (keys) => fillRegistry(keys, { calls: 100 }),
  'chronawflow-time': async (keys) => fillRegistry(keys, { duration: '60s', buckets: 10 }),
  'cockatiel-count': (keys) => fillCockatiel(keys, () => new CountBreaker({ threshold: 0.5, size: 100 })),
  'cockatiel-sampling': (keys) =>
    fillCockatiel(keys, () => new SamplingBreaker({ threshold: 0.5, duration: 60_000 })),
  opossum: fillOpossum,
};

function fillRegistry(
  keys: readonly string[],
  window: { calls: number } | { duration: string; buckets: number },
): BreakerRegistry {
  const registry = new BreakerRegistry({ limit: keys.length, breaker: { window } });
  for (const tenant of keys) {
    const breaker = registry.get({ service: 'tax', operation: 'rate', tenant });
    for (let call = 0; call < CALLS; call += 1) breaker.recordCall({ ok: !isFailure(call), durationMs: 1 });
    const { state, calls, failed } = breaker.getState();
    if (state.kind !== 'closed' || calls < 100 || failed === 0) {
      throw new MeasurementInvalidError(`the breaker of ${tenant} is not closed with a full window`);
    }
  }
  if (registry.size !== keys.length) throw new MeasurementInvalidError('not every key is resident');
  return registry;
}

async function fillCockatiel(keys: readonly string[], make: () => CountBreaker | SamplingBreaker) {
  const policies = new Map<string, ReturnType<typeof circuitBreaker>>();
  for (const key of keys) {
    const policy = circuitBreaker(handleAll, { halfOpenAfter: 30_000, breaker: make() });
    for (let call = 0; call < CALLS; call += 1)
      await policy.execute(() => answer(call)).catch(() => undefined);
    policies.set(key, policy);
  }
  return policies;
}

async function fillOpossum(keys: readonly string[]) {
  const breakers = new Map<string, OpossumBreaker<[number], number>>();
  for (const key of keys) {
    const breaker = new OpossumBreaker(answer, { timeout: false, errorThresholdPercentage: 50 });
    for (let call = 0; call < CALLS; call += 1) await breaker.fire(call).catch(() => undefined);
    breakers.set(key, breaker);
  }
  return breakers;
}

async function answer(call: number): Promise<number> {
  if (isFailure(call)) throw FAILURE;
  return call;
}
const FAILURE = new Error('the service failed');

function bytesInUse(): number {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function main(): Promise<void> {
  const [side = '', count = ''] = process.argv.slice(2);
  const fill = SIDES[side];
  if (fill === undefined) throw new MeasurementInvalidError(`'${side}' is no side`);
  // Once before the measurement, so that code and shapes are there already.
  await fill(['warm-up']);
  const before = bytesInUse();
  const keys = Array.from({ length: Number(count) }, (_, i) => `tenant-${i}`);
  const filled = await fill(keys);
  const bytes = (bytesInUse() - before) / keys.length;
  if (filled === undefined) throw new MeasurementInvalidError('nothing was filled');
  process.stdout.write(`${bytes}\n`);
  process.exit();
}

void main();
