import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { explain } from '../bootstrap/bootstrap-failure.mjs';
import { runInForeground } from '../bootstrap/command.mjs';
import { addCounts, countJest, NOTHING, oneCheck, summaryLine } from './counts.mjs';
import { build, passes } from './typescript.mjs';

/**
 * `npm test -- [jest's arguments]`: builds, then runs jest; with CI=true also the checks of types and of lint, which
 * hold the import directions. A failed check does not keep the others from running. Whatever happens, the last line
 * counts the tests and checks.
 */
export async function runTests({ root, args, prepare }) {
  let counts = NOTHING;
  const check = async (name, work) => {
    counts = addCounts(counts, oneCheck(await passes(name, work)));
  };
  try {
    const env = await prepare();
    await check('build', () => build(root));
    if (inCi()) {
      await check('types', () => tool(root, 'typescript/bin/tsc', ['--noEmit']));
      await check('lint', () => tool(root, '@biomejs/biome/bin/biome', ['ci', ...colours(), '.']));
    }
    counts = addCounts(counts, await jest(root, args, env));
  } catch (error) {
    // What keeps the tests from running is a failure as well: no run ends with a line that looks sound.
    explain(error);
    counts = addCounts(counts, oneCheck(false));
  }
  console.log(summaryLine(counts));
  return counts.failed === 0 ? 0 : 1;
}

function inCi() {
  return process.env.CI === 'true';
}

/** `biome ci` colours its output wherever it goes, one escape sequence a character. */
function colours() {
  return process.stdout.isTTY && !process.env.NO_COLOR ? [] : ['--colors=off'];
}

async function tool(root, script, args, env = {}) {
  const path = join(root, 'node_modules', script);
  return (await runInForeground(process.execPath, [path, ...args], { cwd: root, env })) === 0;
}

async function jest(root, args, env) {
  const directory = mkdtempSync(join(tmpdir(), 'chronawflow-test-'));
  const file = join(directory, 'counts.json');
  const reporters = ['default', join(root, 'scripts', 'targets', 'count-reporter.cjs')];
  const options = [...reporters.map((one) => `--reporters=${one}`), ...(inCi() ? ['--ci'] : [])];
  try {
    const passed = await tool(root, 'jest/bin/jest.js', [...options, ...args], {
      ...env,
      CHRONAWFLOW_TEST_COUNTS: file,
    });
    return countJest(readResults(file), passed);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Undefined when jest ended before it could write its results. */
function readResults(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}
