import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { protectionConfig } from '../../../config';
import { METRIC } from '../../../core/metrics';

const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'resilience', 'protection.md'), 'utf8');

/** The page's table of numbers beside what the code does. */
test('the defaults that the page tells are the ones in force', () => {
  const { breaker, registry, shared } = protectionConfig.parse({});
  if (shared === false) throw new Error('the shared mode is off by default');
  const minutes = (ms: number) => `${ms / 60_000} min`;
  const seconds = (ms: number) => `${ms / 1_000} s`;
  const rows: readonly (readonly [string, string])[] = [
    ['consecutiveFailures', String(breaker.consecutiveFailures)],
    ['failureRate', String(breaker.failureRate)],
    ['slowRate', String(breaker.slowRate)],
    ['slowerThan', seconds(breaker.slowerThan)],
    ['minimumCalls', String(breaker.minimumCalls)],
    ['window', 'calls' in breaker.window ? `${breaker.window.calls} calls` : ''],
    ['breakFor', seconds(breaker.breakFor)],
    ['breakLimit', minutes(breaker.breakLimit)],
    ['jitter', String(breaker.jitter)],
  ];
  for (const [option, value] of rows) expect(page).toContain(`| \`${option}\` | ${value} |`);
  expect(page).toContain(
    `| ${breaker.probes}, ${seconds(breaker.closeOver)}, ${breaker.firstShare}, ${seconds(breaker.probeLimit)} |`,
  );
  expect(page).toContain(`| ${registry.limit.toLocaleString('en')}, ${minutes(registry.idleAfter)} |`);
  expect(page).toContain(
    `| ${seconds(shared.interval)}, ${seconds(shared.lease)}, ${shared.quorum}, ${shared.quorumShare} |`,
  );
});

test('the metrics that the page names exist', () => {
  const named = [...page.matchAll(/`(chronawflow_\w+)`/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(6);
  for (const name of named) expect(Object.values(METRIC)).toContain(name);
});
