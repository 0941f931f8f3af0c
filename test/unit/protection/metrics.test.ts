import { CallMetrics, Metrics } from '../../../core/metrics';
import {
  BreakerRegistry,
  Bulkhead,
  emergency,
  Fallback,
  Measured,
  ProtectionMetrics,
  Timeout,
} from '../../../core/protection';
import { ManualClock } from '../../support/manual-clock';

const scene = () => {
  const metrics = new Metrics();
  const lines = async (name: string) => {
    const text = await metrics.registry.metrics();
    return text
      .split('\n')
      .filter((line) => line.startsWith(name))
      .sort();
  };
  return { metrics, lines, watch: new ProtectionMetrics(metrics) };
};
const target = { service: 'tax', operation: 'rate' };

test('transitions are counted, and the longest time since a breaker was last closed is shown, a cycling one too', async () => {
  const { lines, watch } = scene();
  const clock = new ManualClock();
  const registry = new BreakerRegistry({
    breaker: { consecutiveFailures: 1, breakFor: 1_000, jitter: 0 },
    clock: clock.read,
  });
  const stop = watch.watchBreakers(registry);
  const of = (tenant: string) => registry.get({ ...target, tenant });
  of('acme').recordCall({ ok: false, durationMs: 1 });
  clock.advance(60_000);
  of('birch').recordCall({ ok: false, durationMs: 1 });
  await expect(of('acme').execute(() => Promise.reject(new Error('still down')))).rejects.toThrow(
    'still down',
  );
  clock.advance(5_000);
  expect(await lines('chronawflow_breaker_not_closed_seconds')).toEqual([
    'chronawflow_breaker_not_closed_seconds{service="tax",operation="rate"} 65',
  ]);
  expect(await lines('chronawflow_breaker_transitions_total')).toEqual([
    'chronawflow_breaker_transitions_total{service="tax",operation="rate",to="half-open"} 1',
    'chronawflow_breaker_transitions_total{service="tax",operation="rate",to="open"} 3',
  ]);
  stop();
  expect(await lines('chronawflow_breaker_not_closed_seconds')).toEqual([]);
});

test('a bulkhead’s occupancy and queue are read when they are asked for', async () => {
  const { lines, watch } = scene();
  const bulkhead = new Bulkhead({ name: 'tax', concurrency: 1, queue: 5, queueWait: '1m' });
  watch.watchBulkhead(bulkhead);
  const ends: (() => void)[] = [];
  const calls = [1, 2, 3].map(() =>
    bulkhead.execute(() => new Promise<void>((resolve) => ends.push(resolve))),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(await lines('chronawflow_bulkhead')).toEqual([
    'chronawflow_bulkhead_in_use{bulkhead="tax"} 1',
    'chronawflow_bulkhead_places{bulkhead="tax"} 1',
    'chronawflow_bulkhead_queued{bulkhead="tax"} 2',
  ]);
  for (const _ of calls) {
    ends.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(calls);
});

test('a fallback’s levels are counted', async () => {
  const { lines, watch } = scene();
  const chain = new Fallback({ levels: [emergency(1)], onAnswer: watch.fallbackAnswered(target) });
  await chain.execute(() => 2);
  await chain.execute(() => Promise.reject(new Error('down')));
  expect(await lines('chronawflow_fallback_answers_total')).toEqual([
    'chronawflow_fallback_answers_total{service="tax",operation="rate",level="emergency"} 1',
    'chronawflow_fallback_answers_total{service="tax",operation="rate",level="primary"} 1',
  ]);
});

test('calls are counted by outcome, and a timeout is logged', async () => {
  const { metrics, lines } = scene();
  const log = { warn: jest.fn() };
  const measured = new Measured(target, { metrics: new CallMetrics(metrics), log });
  const full = new Bulkhead({ concurrency: 1 });
  void full.execute(() => new Promise(() => {}));
  await measured.execute(() => 1);
  await expect(measured.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  await expect(measured.execute(() => full.execute(() => 1))).rejects.toThrow('no place');
  await expect(
    measured.execute(() => new Timeout({ limit: 5 }).execute(() => new Promise(() => {}))),
  ).rejects.toThrow('No answer');
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(measured.execute(() => Promise.reject(gone.reason), gone)).rejects.toThrow('gone');
  const of = (outcome: string) =>
    `chronawflow_calls_total{service="tax",operation="rate",outcome="${outcome}"} 1`;
  expect(await lines('chronawflow_calls_total')).toEqual(['error', 'ok', 'rejected', 'timeout'].map(of));
  expect(await lines('chronawflow_call_seconds_count')).toEqual([
    'chronawflow_call_seconds_count{service="tax",operation="rate"} 3',
  ]);
  expect(log.warn).toHaveBeenCalledTimes(1);
  expect(log.warn.mock.calls[0]?.[0]).toMatchObject({ ...target, err: { code: 'TIMEOUT_EXCEEDED' } });
});
