import fc from 'fast-check';
import { simulationPage } from '../../../client/cli/pages/degradation-page';
import { RequestSignals } from '../../../core/degradation/process/request-signals';
import { callSignals } from '../../../core/degradation/process/signal-sources';
import { parseSeries } from '../../../core/degradation/series/parse-series';
import { simulate } from '../../../core/degradation/series/simulate.pure';
import { CallMetrics, Metrics } from '../../../core/metrics';
import { BOOKS, policyWith } from '../../support/degradation-policy';

const HEAD = 'time,signal,instance,value';

test('a series that was written is the series that is read', () => {
  const point = fc.record({
    at: fc.integer({ min: 0, max: 10_000_000 }).map((tenths) => tenths * 100),
    signal: fc.constantFrom('error-rate', 'latency'),
    instance: fc.stringMatching(/^[a-z0-9-]{1,10}$/),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), fc.boolean(), (points, iso) => {
      const sorted = points.toSorted((a, b) => a.at - b.at).map((one) => ({ ...one, value: one.value + 0 }));
      const rows = sorted.map(
        ({ at, signal, instance, value }) =>
          `${iso ? new Date(at).toISOString() : at / 1_000},${signal},${instance},${value}`,
      );
      expect(parseSeries([HEAD, ...rows, ''].join('\n'), 'f')).toEqual(sorted);
    }),
  );
});

test.each([
  ['other columns', 'a,b\n1,2', /f, line 1: these are not the columns/],
  ['too few values', `${HEAD}\n1,latency,a`, /f, line 2: 3 values instead of 4/],
  ['no time', `${HEAD}\nsoon,latency,a,1`, /f, line 2: 'soon' is no time/],
  ['no number', `${HEAD}\n1,latency,a,`, /f, line 2: '' is no number/],
  ['an older sample', `${HEAD}\n2,latency,a,1\n1,latency,a,1`, /f, line 3: is older than the line before/],
  ['nothing', HEAD, /there are no samples/],
])('%s is refused with its line', (_, text, message) => {
  expect(() => parseSeries(text, 'f')).toThrow(message);
});

test('the levels of a series are printed and drawn', () => {
  const policy = policyWith(BOOKS);
  const rows = Array.from({ length: 120 }, (_, second) => `${second},error-rate,a,${second < 30 ? 0.2 : 0}`);
  const points = parseSeries([HEAD, ...rows].join('\n'), 'f');
  const page = simulationPage(policy, points, [...simulate(policy, points)]).join('\n');
  expect(page).toContain('120 samples of 1 instances, 120 decisions, 3 changes');
  expect(page).toMatch(/1970-01-01T00:00:00\.000Z.*normal.*limited.*error-rate is 0\.2/);
  expect(page).toMatch(/limited {3}│█{10,}/);
  expect(page).toMatch(/normal {4}│ {20,}█+/);
});

describe('what a process sees', () => {
  test('says nothing of fewer than ten requests, and keeps them for the next time', () => {
    const signals = new RequestSignals();
    for (let nth = 0; nth < 9; nth += 1) signals.note('answered', 10);
    expect(signals.take()).toEqual([]);
    signals.note('failed', 1_000);
    expect(signals.take()).toMatchObject([
      { signal: 'availability', value: 0.9 },
      { signal: 'error-rate', value: 0.1 },
      { signal: 'latency', value: expect.any(Number) },
    ]);
    expect(signals.take()).toEqual([]);
  });

  test('has what was counted of calls since the last time', async () => {
    const metrics = new Metrics();
    const calls = new CallMetrics(metrics);
    const source = callSignals(metrics);
    const target = { service: 'tax', operation: 'rate' };
    for (let nth = 0; nth < 50; nth += 1) calls.ended(target, 'ok', 0.02);
    expect(await source()).toEqual([
      { signal: 'call-error-rate', value: 0 },
      { signal: 'call-latency', value: 25 },
    ]);
    for (let nth = 0; nth < 20; nth += 1) calls.ended(target, nth % 2 ? 'timeout' : 'ok', 3);
    for (let nth = 0; nth < 20; nth += 1) calls.ended(target, 'rejected', 0);
    expect(await source()).toEqual([
      { signal: 'call-error-rate', value: 0.5 },
      { signal: 'call-latency', value: 5_000 },
    ]);
    expect(await source()).toEqual([]);
  });
});
