import { join } from 'node:path';
import { runProgram } from '../../../core/cluster';

const ROOT = join(__dirname, '..', '..', '..');

/** Names of the packages that a process has loaded after these statements. */
async function loadedBy(statements: string): Promise<string[]> {
  const list = `console.log(JSON.stringify(Object.keys(require.cache)))`;
  const { stdout } = await runProgram(
    process.execPath,
    [
      '-r',
      join(ROOT, 'scripts', 'register.cjs'),
      '-e',
      `const it = require('./client/protection.ts'); ${statements}; ${list}`,
    ],
    { cwd: ROOT },
  );
  const files: string[] = JSON.parse(stdout);
  return [...new Set(files.map((file) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? ''))];
}

test('a service that protects calls in its process loads neither Temporal nor a database driver', async () => {
  const packages = await loadedBy(`
    new it.BreakerRegistry().get({ service: 's', operation: 'o', tenant: 't' });
    it.pipeline(it.timeout('1s'), it.retry(), it.bulkhead({ concurrency: 1 }));
    new it.AdaptiveRateLimiter({ rule: { kind: 'fixed-window', limit: 1, window: '1s' } })`);
  expect(packages).toContain('zod');
  expect(packages.filter((name) => /^(@temporalio\/.*|pg.*|umzug)$/.test(name))).toEqual([]);
});

test('pg is loaded by what connects to the control-plane database', async () => {
  const connection = `{ host: '127.0.0.1', port: 1, database: 'd', user: 'u' }`;
  const packages = await loadedBy(`new it.GlobalRateLimits({ connection: ${connection} }).close()`);
  expect(packages).toContain('pg');
  expect(packages.filter((name) => /^(@temporalio\/.*|umzug)$/.test(name))).toEqual([]);
});
