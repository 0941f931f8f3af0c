#!/usr/bin/env node
/**
 * Builds dist/, which mirrors the source folders: dist/client/index.js comes from client/index.ts.
 * A second build without changes takes about a second: the compiler is incremental, the bundle is kept while its
 * inputs are the same.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from './bootstrap/bootstrap-failure.mjs';
import { exclusively } from './bootstrap/exclusive.mjs';
import { copyAssets, lacksOutput, removeStale } from './build/files.mjs';
import { bundleWorkflows } from './build/workflow-bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const cli = join(dist, 'client', 'cli', 'main.js');

process.exitCode = await exclusively(
  join(root, '.chronawflow', 'build.lock'),
  { note: console.error },
  build,
);

async function build() {
  let compiled = compile();
  removeStale(root, dist);
  if (compiled && lacksOutput(root, dist)) {
    rmSync(join(dist, '.tsbuildinfo'), { force: true });
    compiled = compile();
  }
  copyAssets(root, dist);
  if (existsSync(cli)) exposeCli();
  return (await bundle()) && compiled ? 0 : 1;
}

function compile() {
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status, error } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    stdio: 'inherit',
    cwd: root,
  });
  if (error !== undefined) throw error;
  return status === 0;
}

/** An error of the bundler names the module that workflow code must not import; its stack would only hide that. */
async function bundle() {
  try {
    await bundleWorkflows(root, dist);
    return true;
  } catch (error) {
    console.error(`The workflows cannot be bundled: ${messageOf(error)}`);
    return false;
  }
}

/** Makes `npx chronawflow` work inside the clone as it does in a project that installed the package. */
function exposeCli() {
  if (!readFileSync(cli, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    throw new Error(
      'client/cli/main.ts must begin with "#!/usr/bin/env node": it is the program of the package',
    );
  }
  chmodSync(cli, 0o755);
  const link = join(root, 'node_modules', '.bin', 'chronawflow');
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) {
    if (existsSync(link)) return;
    rmSync(link);
  }
  symlinkSync(join('..', '..', 'dist', 'client', 'cli', 'main.js'), link);
}
