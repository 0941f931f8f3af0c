import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * What a user gets: the package as `npm pack` makes it, installed into an empty project. Catches what no test of the
 * sources can: a file that is not packed, a dependency declared for development only, a wrong entry in `exports`.
 */

const execute = promisify(execFile);
const root = join(__dirname, '..', '..');
const manifest: { version: string; exports: Record<string, unknown> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);

/** Names that each entry must export; every code entry of package.json has to be listed. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  '.': [
    'Chronawflow',
    'ChronawflowError',
    'RecoveryStrategyManager',
    'ChaosEngineeringManager',
    'DegradationModesManager',
  ],
  './worker': ['createWorker', 'recoveryParts'],
  './jobs': ['defineJob', 'defineBatchJob', 'JobQueue', 'QueueBoundaryManager'],
  './protection': [
    'CircuitBreaker',
    'BreakerRegistry',
    'SharedBreakers',
    'pipeline',
    'Fallback',
    'RefusalError',
    'AdaptiveRateLimiter',
    'HealthMonitor',
  ],
  './audit': ['AuditImmutabilityManager', 'verifyReceipt', 'verifyExport'],
};

let directory: string;
let project: string;
let packed: readonly string[];

/** npm tells its children about the package it runs for; the npm started here works for another one. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle|command|config_local)|INIT_CWD)/.test(name),
  ),
);

async function inProject(program: string, ...args: string[]): Promise<string> {
  return (await execute(program, args, { cwd: project, env, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'chronawflow-packed-'));
  project = join(directory, 'project');
  mkdirSync(project);
  const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: root,
    env,
  });
  // The build that `prepack` runs may print before the JSON.
  const [report]: { filename: string; files: { path: string }[] }[] = JSON.parse(
    stdout.slice(stdout.search(/^\[/m)),
  );
  if (report === undefined) throw new Error(`npm pack reported nothing: ${stdout}`);
  packed = report.files.map(({ path }) => path);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'somebodys-service', private: true }));
  await inProject(
    'npm',
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    join(directory, report.filename),
  );
}, 600_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the package holds what runs, and neither sources, tests nor the build’s own notes', () => {
  expect(packed).toEqual(
    expect.arrayContaining([
      'dist/client/cli/main.js',
      'dist/workflows/bundle.js',
      'dist/database/migrations/platform/001-recovery.sql',
      'dist/database/migrations/application/001-recovery.sql',
      'deploy/postgres/application-role.sql',
      'deploy/postgres/service-role.sql',
      'LICENSE',
    ]),
  );
  const foreign = packed.filter((path) =>
    /^(dist\/(\.|test|scripts|bench))|(?<!\.d)\.ts$|\.test\./.test(path),
  );
  expect(foreign).toEqual([]);
});

test('the program is on the path of the project, knows its version and explains itself', async () => {
  expect((await inProject('npx', '--no-install', 'chronawflow', '--version')).trim()).toBe(manifest.version);
  expect(await inProject('npx', '--no-install', 'chronawflow', '--help')).toMatch(
    /Usage: chronawflow[\s\S]*recovery/,
  );
});

test('every entry point of the package is tried here', () => {
  const code = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  expect(Object.keys(ENTRIES).sort()).toEqual(code.sort());
});

describe.each(Object.entries(ENTRIES))('entry point %s', (entry, names) => {
  const specifier = `chronawflow${entry.slice(1)}`;
  const check = `for (const [name, value] of Object.entries({ ${names.join(', ')} }))
    if (typeof value !== 'function') throw new Error(name + ' is ' + typeof value);
  console.log('ok');`;

  test('is imported by an ES module', async () => {
    writeFileSync(join(project, 'try.mjs'), `import { ${names.join(', ')} } from '${specifier}';\n${check}`);
    expect(await inProject(process.execPath, 'try.mjs')).toBe('ok\n');
  });

  test('is required by a CommonJS module', async () => {
    writeFileSync(
      join(project, 'try.cjs'),
      `const { ${names.join(', ')} } = require('${specifier}');\n${check}`,
    );
    expect(await inProject(process.execPath, 'try.cjs')).toBe('ok\n');
  });

  test.each(['mts', 'cts'])('has types for a .%s module', async (extension) => {
    const file = `types.${extension}`;
    const uses = names.map((name) => `export const ${name}Is: Function = ${name};`).join('\n');
    writeFileSync(join(project, file), `import { ${names.join(', ')} } from '${specifier}';\n${uses}\n`);
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'node20',
      '--moduleResolution',
      'node16',
    ];
    expect(await inProject(process.execPath, compiler, ...options, '--types', '', file)).toBe('');
  });
});

test('a service that only wants a breaker loads neither Temporal nor pg', async () => {
  const loaded =
    'Object.keys(require.cache).filter((file) => /node_modules.(@temporalio|pg|umzug)\\b/.test(file)).length';
  writeFileSync(join(project, 'loads.cjs'), `require('chronawflow/protection'); console.log(${loaded});`);
  expect(await inProject(process.execPath, 'loads.cjs')).toBe('0\n');
});

test('the manifest can be read', async () => {
  writeFileSync(join(project, 'manifest.cjs'), "console.log(require('chronawflow/package.json').version);");
  expect((await inProject(process.execPath, 'manifest.cjs')).trim()).toBe(manifest.version);
});
