import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { resultInNode, startBootstrap } from './in-node';

function summary(results: unknown, passed: boolean): Promise<unknown> {
  return resultInNode(`
    import { addCounts, countJest, oneCheck, summaryLine } from 'targets/counts.mjs';
    const counts = addCounts(oneCheck(true), countJest(${JSON.stringify(results)}, ${passed}));
    console.log(JSON.stringify(summaryLine(counts)));
  `);
}

describe('the line of counts', () => {
  const all = {
    numPassedTests: 7,
    numFailedTests: 0,
    numRuntimeErrorTestSuites: 0,
    numPendingTests: 0,
    numTodoTests: 0,
  };

  test('adds checks and tests, and names skipped ones only if there are any', async () => {
    expect(await summary(all, true)).toBe('8 passed, 0 failed');
    expect(await summary({ ...all, numFailedTests: 2, numPendingTests: 1 }, false)).toBe(
      '8 passed, 2 failed, 1 skipped',
    );
  });

  test('counts a test file that could not be loaded', async () => {
    expect(await summary({ ...all, numRuntimeErrorTestSuites: 1 }, false)).toBe('8 passed, 1 failed');
  });

  test('never looks sound when jest failed without a failed test, or without any results', async () => {
    expect(await summary(all, false)).toBe('8 passed, 1 failed');
    expect(await summary(undefined, false)).toBe('1 passed, 1 failed');
  });

  test('comes also when the preparation fails', async () => {
    const { code, stdout, stderr } = await startBootstrap(['--run', 'test'], {
      ...process.env,
      CHRONAWFLOW_TEMPORAL_CLI: '/nowhere/temporal',
    }).ended;
    expect(code).toBe(1);
    expect(stdout).toBe('0 passed, 1 failed\n');
    expect(stderr).toContain('CHRONAWFLOW_TEMPORAL_CLI is of no use');
  });
});

test('an unknown benchmark is refused before anything is prepared', async () => {
  const { code, stderr } = await startBootstrap(['--run', 'bench', 'nonsense'], process.env).ended;
  expect(code).toBe(1);
  expect(stderr).toContain('There is no benchmark "nonsense"');
});

test('the demo prepares nothing that only tests and benchmarks need', async () => {
  const nowhere = { CHRONAWFLOW_TEMPORAL_CLI: '/nowhere', CHRONAWFLOW_TOXIPROXY: '/nowhere' };
  const env = {
    ...process.env,
    ...nowhere,
    CHRONAWFLOW_PROMTOOL: '/nowhere',
    CHRONAWFLOW_ALERTMANAGER: '/nowhere',
    CHRONAWFLOW_TLOG_VERIFIER: '/nowhere',
  };
  const [demo, tests] = await Promise.all([
    startBootstrap(['--run', 'demo'], env).ended,
    startBootstrap(['--run', 'test'], env).ended,
  ]);
  expect(demo.stderr).toContain('CHRONAWFLOW_TEMPORAL_CLI is of no use');
  expect(demo.stderr).not.toMatch(/toxiproxy|promtool|alertmanager|tlog/i);
  for (const part of ['toxiproxy', 'promtool', 'alertmanager', 'tlog']) expect(tests.stderr).toContain(part);
});

describe('dist/', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'chronawflow-build-'));
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const put = (path: string, content = ''): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };

  test('gets the migrations, loses what has no source any more, and keeps the bundle', async () => {
    put('database/migrations/platform/001-a.sql', 'select 1');
    put('core/there.ts');
    const kept = ['core/there.js', 'core/there.js.map', 'core/there.d.ts', 'workflows/bundle.js'];
    const gone = [
      'core/gone.js',
      'core/gone.d.ts',
      'core/old/x.js.map',
      'database/migrations/platform/000-z.sql',
    ];
    for (const path of [...kept, ...gone]) put(join('dist', path));
    await resultInNode(`
      import { copyAssets, removeStale } from 'build/files.mjs';
      removeStale('${root}', '${root}/dist');
      copyAssets('${root}', '${root}/dist');
      console.log('null');
    `);
    expect(kept.filter((path) => !existsSync(join(root, 'dist', path)))).toEqual([]);
    expect(gone.filter((path) => existsSync(join(root, 'dist', path)))).toEqual([]);
    expect(readFileSync(join(root, 'dist/database/migrations/platform/001-a.sql'), 'utf8')).toBe('select 1');
  });

  test('begins anew when an output is missing that the compiler believes it wrote', async () => {
    put('core/there.ts');
    put('core/types.d.ts');
    const lacks = () =>
      resultInNode(`
        import { lacksOutput } from 'build/files.mjs';
        console.log(lacksOutput('${root}', '${root}/dist'));
      `);
    expect(await lacks()).toBe(true);
    put('dist/core/there.js');
    expect(await lacks()).toBe(false);
  });
});
