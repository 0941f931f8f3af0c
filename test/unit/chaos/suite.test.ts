import fc from 'fast-check';
import {
  htmlReport,
  junit,
  openLoop,
  percentile,
  pick,
  resilienceScore,
  type SuiteEntry,
} from '../../../core/chaos';
import { timelineChart } from '../../../core/chaos/suite/timeline-chart.pure';
import type { ChaosReport } from '../../../core/chaos/types';

const verdict = fc.constantFrom(
  'passed',
  'deviated',
  'aborted',
  'failed',
  'not-steady',
  'refused',
) satisfies fc.Arbitrary<SuiteEntry['verdict']>;
const entry: fc.Arbitrary<SuiteEntry> = fc.record({
  file: fc.string(),
  title: fc.string({ unit: 'binary' }),
  weight: fc.integer({ min: 1, max: 5 }),
  verdict,
  message: fc.option(fc.string(), { nil: undefined }),
  durationMs: fc.nat(),
  residual: fc.constantFrom(0, 0, 0, 1),
});

test('the score is between 0 and 100, and 0 when a fault is left', () => {
  fc.assert(
    fc.property(fc.array(entry), (entries) => {
      const { score, coverage } = resilienceScore(entries);
      expect(coverage >= 0 && coverage <= 1).toBe(true);
      if (score !== undefined) expect(score >= 0 && score <= 100).toBe(true);
      if (entries.some(({ residual }) => residual > 0)) expect(score).toBe(0);
    }),
  );
});

test('the score is the documented formula', () => {
  const of = (...parts: readonly (readonly [SuiteEntry['verdict'], number])[]) =>
    resilienceScore(
      parts.map(([one, weight]) => ({
        file: 'f',
        title: 't',
        verdict: one,
        weight,
        durationMs: 1,
        residual: 0,
      })),
    );
  expect(of(['passed', 3], ['deviated', 1])).toEqual({ score: 75, coverage: 1 });
  expect(of(['passed', 1], ['aborted', 1], ['refused', 2])).toEqual({ score: 75, coverage: 0.5 });
  expect(of(['refused', 1])).toEqual({ score: undefined, coverage: 0 });
});

test('the same seed makes the same choice, of different ones', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.nat(20), fc.integer(), (all, count, seed) => {
      const chosen = pick(all, count, seed);
      expect(chosen).toEqual(pick(all, count, seed));
      expect(new Set(chosen).size).toBe(Math.min(count, all.length));
    }),
  );
});

test('whatever the texts, the XML is well-formed', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), (entries) => {
      const xml = junit(entries);
      // Every attribute ends where it began, and nothing but our own tags opens.
      expect(xml.match(/<(?!\/?(testsuite|testcase|failure|error|skipped)\b|\?xml)/g)).toBeNull();
      expect((xml.match(/"/g)?.length ?? 0) % 2).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
      expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    }),
  );
});

const second = (at: number, p95: number, failed = 0) => ({
  at: new Date(at * 1_000).toISOString(),
  requests: 10,
  failed,
  p95,
  level: 1,
});

test('the page shows faults, latency and errors on one axis, and no text as markup', () => {
  const window = {
    window: 'during' as const,
    requests: 2,
    failed: 1,
    p50: 1,
    p95: 1,
    p99: 1,
    seconds: [second(1, 5), second(2, 50, 3)],
  };
  const fault = {
    leaseId: 'f',
    driver: 'toxiproxy.down',
    target: 'x',
    injected: true,
    endedBy: 'controller',
    reason: 'rolled-back',
    from: second(1, 0).at,
    to: second(2, 0).at,
  };
  const report: ChaosReport = {
    ...{
      verdict: 'passed',
      startedAt: '',
      endedAt: '',
      runId: 'r',
      title: 't',
      requestedBy: 'ada',
      residual: 0,
    },
    ...{ faults: [fault], runs: [], rollbacks: [], confirmations: [], load: [window] },
  };
  const chart = timelineChart(report);
  expect(chart).toMatch(/<rect[^>]*><title>toxiproxy\.down<\/title>.*<rect.*<polyline.*<polyline/);
  const one: SuiteEntry = {
    file: 'a.yaml',
    title: '<script>alert(1)</script>',
    weight: 1,
    verdict: 'passed',
    durationMs: 1,
    residual: 0,
  };
  const html = htmlReport(
    { at: '2026-11-26T00:00:00Z', seed: 7, entries: [one], score: { score: 100, coverage: 1 } },
    new Map([['a.yaml', report]]),
    [],
  );
  expect(html).toContain('&lt;script&gt;');
  expect(html).not.toContain('<script>');
  expect(html).toContain('<svg');
});

test('a request counts from when it was due, so that a stall is seen by all that had to wait', async () => {
  let stalled = false;
  const result = await openLoop({
    ratePerSecond: 100,
    durationMs: 1_000,
    // One at a time: a client that waits for its answer before it sends the next.
    maxInFlight: 1,
    signal: new AbortController().signal,
    request: async () => {
      if (!stalled) await new Promise((resolve) => setTimeout(resolve, 500));
      stalled = true;
      return true;
    },
  });
  expect(result.requests).toBe(100);
  // Closed-loop measurement would show one slow request in a hundred; half of them were due during the stall.
  expect(result.p50).toBeGreaterThan(0);
  expect(result.p95).toBeGreaterThan(200);
});

test('a percentile is a value that was measured', () => {
  expect(percentile([], 0.5)).toBe(0);
  expect(percentile([3, 1, 2], 0.5)).toBe(2);
  fc.assert(
    fc.property(
      fc.array(fc.integer(), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, share) => {
        const found = percentile(values, share);
        expect(values.filter((value) => value <= found).length / values.length).toBeGreaterThanOrEqual(
          share - 1e-9,
        );
      },
    ),
  );
});
