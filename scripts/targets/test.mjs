import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInForeground } from '../bootstrap/command.mjs';
import { addCounts, countJest, NOTHING, oneCheck, summaryLine } from './counts.mjs';
import { build } from './typescript.mjs';

/**
 * `npm test -- [jest's arguments]`: builds, then runs jest; with CI=true also the checks of types and of lint, which
 * hold the import directions. A failed check does not keep the others from running. Whatever happens, the last line
 * counts the tests and checks.
 */
export async function runTests({ root, args, prepare }) {
  let counts = NOTHING;
  const check = async (name, work) => {
    let passed = false;
    try {
      passed = await work();
    } finally {
      counts = addCounts(counts, oneCheck(passed));
      if (!passed) console.error(`✗ ${name} failed`);
    }
  };
  try {
    const env = await prepareOrCount(prepare, (failed) => {
      counts = addCounts(counts, failed);
    });
    await check('build', () => build(root));
    if (process.env.CI === 'true') {
      await check('types', () => tool(root, 'typescript/bin/tsc', ['--noEmit']));
      await check('lint', () => tool(root, '@biomejs/biome/bin/biome', ['ci', '.']));
    }
    counts = addCounts(counts, await jest(root, args, env));
  } finally {
    console.log(summaryLine(counts));
  }
  return counts.failed === 0 ? 0 : 1;
}

/** A preparation that fails counts as one failure, so that no run ends with a line that looks sound. */
async function prepareOrCount(prepare, count) {
  try {
    return await prepare();
  } catch (error) {
    count(oneCheck(false));
    throw error;
  }
}

async function tool(root, script, args, env = {}) {
  const path = join(root, 'node_modules', script);
  return (await runInForeground(process.execPath, [path, ...args], { cwd: root, env })) === 0;
}

async function jest(root, args, env) {
  const directory = mkdtempSync(join(tmpdir(), 'chronawflow-test-'));
  const outputFile = join(directory, 'results.json');
  try {
    const ci = process.env.CI === 'true' ? ['--ci'] : [];
    const passed = await tool(
      root,
      'jest/bin/jest.js',
      ['--json', `--outputFile=${outputFile}`, ...ci, ...args],
      env,
    );
    return countJest(readResults(outputFile), passed);
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
