import fc from 'fast-check';
import { CallMetrics, METRIC, Metrics, OTHER } from '../../core/metrics';
import { BoundedLabel } from '../../core/metrics/bounded-label.pure';

const tenants = fc.array(
  fc.nat(60).map((n) => `tenant-${n}`),
  { maxLength: 6_000 },
);

async function valuesOf(metrics: Metrics, name: string) {
  const metric = (await metrics.registry.getMetricsAsJSON()).find((one) => one.name === name);
  return new Map((metric?.values ?? []).map(({ labels, value }) => [labels.tenant, value]));
}

describe('a bounded label', () => {
  test('has at most N values at any time (1)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), tenants, (top, stream) => {
        const present = new Set<string>();
        const label = new BoundedLabel(top, (gone) => present.delete(gone));
        for (const tenant of stream) {
          const shown = label.of(tenant);
          if (shown !== OTHER) present.add(shown);
          expect([tenant, OTHER]).toContain(shown);
        }
        expect(present.size).toBeLessThanOrEqual(top);
      }),
      { numRuns: 30 },
    );
  });

  test('gives a place to who becomes busy (2)', () => {
    const left: string[] = [];
    const label = new BoundedLabel(2, (gone) => left.push(gone));
    label.of('early');
    label.of('earlier');
    for (let n = 0; n < 10_000; n += 1) label.of(n % 3 === 0 ? `rare-${n}` : 'busy');
    expect(label.of('busy')).toBe('busy');
    expect(left).not.toHaveLength(0);
  });

  test('cuts values that somebody made endless', () => {
    expect(new BoundedLabel(3).of('x'.repeat(10_000)).length).toBeLessThan(200);
  });
});

describe('counters', () => {
  test('lose nothing, whatever the label shows (3)', async () => {
    await fc.assert(
      fc.asyncProperty(tenants, fc.array(fc.nat(60), { maxLength: 20 }), async (stream, viaCells) => {
        const metrics = new Metrics({ top: 4 });
        const counter = metrics.counter({ name: 'x_total', help: 'x', labels: ['tenant'] });
        for (const tenant of stream.slice(0, 3_000)) counter.inc({ tenant });
        const cells = viaCells.map((n) => counter.cell({ tenant: `tenant-${n}` }));
        for (const cell of cells) for (let n = 0; n < 7; n += 1) cell.inc();
        const values = await valuesOf(metrics, 'x_total');
        expect(values.size).toBeLessThanOrEqual(5);
        const sum = [...values.values()].reduce((a, b) => a + b, 0);
        expect(sum).toBe(Math.min(stream.length, 3_000) + 7 * cells.length);
      }),
      { numRuns: 20 },
    );
  });

  test('the series of a value that left the top is taken away (4)', async () => {
    const metrics = new Metrics({ top: 1 });
    const counter = metrics.counter({ name: 'x_total', help: 'x', labels: ['tenant'] });
    counter.inc({ tenant: 'early' });
    for (let n = 0; n < 5_000; n += 1) counter.inc({ tenant: 'busy' });
    expect([...(await valuesOf(metrics, 'x_total')).keys()].sort()).toEqual(['busy', OTHER]);
  });

  test('begin at 0 where they are announced', async () => {
    const metrics = new Metrics();
    new CallMetrics(metrics).announce({ service: 'tax', operation: 'rate' });
    expect(await metrics.registry.getSingleMetricAsString(METRIC.calls)).toContain(
      'chronawflow_calls_total{service="tax",operation="rate",outcome="timeout"} 0',
    );
  });

  test('cells that nobody scrapes do not pile up (6)', async () => {
    const metrics = new Metrics({ top: 3 });
    const counter = metrics.counter({ name: 'x_total', help: 'x', labels: ['tenant'] });
    for (let n = 0; n < 250_000; n += 1) counter.cell({ tenant: `t-${n % 3}` }).inc();
    expect(Reflect.get(counter, 'dirty').length).toBeLessThan(200_000);
    const values = await valuesOf(metrics, 'x_total');
    expect([...values.values()].reduce((a, b) => a + b, 0)).toBe(250_000);
  });
});

test('a gauge shows what its sources say at the scrape, merged where they meet', async () => {
  const metrics = new Metrics({ top: 1 });
  const gauge = metrics.gauge({ name: 'depth', help: 'd', labels: ['tenant'], merge: 'max' });
  let depth = 3;
  const stop = gauge.collectFrom(() => [{ labels: { tenant: 'a' }, value: depth }]);
  gauge.collectFrom(() => [
    { labels: { tenant: 'a' }, value: 2 },
    { labels: { tenant: 'b' }, value: 9 },
    { labels: { tenant: 'c' }, value: 4 },
  ]);
  expect(await valuesOf(metrics, 'depth')).toEqual(
    new Map([
      ['a', 3],
      [OTHER, 9],
    ]),
  );
  depth = 1;
  stop();
  expect((await valuesOf(metrics, 'depth')).get('a')).toBe(2);
});

test('asking twice gives the same metric, asking for another kind is refused by name (5)', () => {
  const metrics = new Metrics();
  const ask = () => metrics.counter({ name: 'x_total', help: 'x', labels: ['tenant'] });
  expect(ask()).toBe(ask());
  expect(() => metrics.counter({ name: 'x_total', help: 'x', labels: ['resource'] })).toThrow(/x_total/);
});

test('a call counts once, with its time unless it was never tried', async () => {
  const metrics = new Metrics();
  const calls = new CallMetrics(metrics);
  calls.ended({ service: 'tax', operation: 'rate' }, 'ok', 0.2);
  calls.ended({ service: 'tax', operation: 'rate' }, 'timeout', 3);
  calls.ended({ service: 'tax', operation: 'rate' }, 'rejected', 0);
  const text = await metrics.registry.metrics();
  expect(text).toContain('chronawflow_call_seconds_count{service="tax",operation="rate"} 2');
  expect(text).toContain('chronawflow_timeouts_total{service="tax",operation="rate"} 1');
});
