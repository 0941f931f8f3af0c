import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runBooksFault } from '../support/books-fault';

const ROOT = join(__dirname, '..', '..');

/** How long the service is slow; longer by `CHRONAWFLOW_FAULT_OUTAGE_MS`. */
const FAULT_MS = Number(process.env.CHRONAWFLOW_FAULT_OUTAGE_MS ?? 10_000);

/**
 * The goals (> 99.4 %, under two intervals) are judged by `npm run bench -- degradation` on a machine of its own; here the bounds
 * leave room for whatever else runs beside the tests.
 */
test('a slow service that takes the core down alone leaves it alone when the platform is there', async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  const without = await runBooksFault(false, FAULT_MS);
  expect(without.coreAsked).toBeGreaterThan(100);
  expect(without.coreServedPct).toBeLessThanOrEqual(90);
  const beside = await runBooksFault(true, FAULT_MS);
  expect(beside.coreAsked).toBeGreaterThan(100);
  expect(beside.coreServedPct).toBeGreaterThan(95);
  expect(beside.detectToAppliedIntervals).toBeLessThan(8);
  expect(beside.backToNormalMs).toBeLessThan(120_000);
}, 420_000);
