#!/usr/bin/env node
/**
 * What `npm test`, `npm run demo` and `npm run bench` run first, on nothing but Node: makes everything else present,
 * then runs the target. It imports no package, because it is what installs them.
 *
 *   node scripts/bootstrap.mjs --run test|demo|bench [arguments]
 *   node scripts/bootstrap.mjs --print        prepare, and print the variables as shell commands (for `eval`)
 *
 * The parts are prepared side by side, and only those that the target needs:
 *   packages   `npm ci`, unless node_modules is complete and matches the lock file
 *   temporal   CHRONAWFLOW_TEMPORAL_CLI, PATH, ${XDG_CACHE_HOME:-~/.cache}/chronawflow/temporal-1.5.1/temporal,
 *              the official download into that cache, or a build with Go into it
 *   postgres   CHRONAWFLOW_POSTGRES_BIN and CHRONAWFLOW_PGBACKREST, PATH, the distribution's directories, apt as root
 *   toxiproxy  (tests and benchmarks) CHRONAWFLOW_TOXIPROXY, PATH, the same cache, download or build as temporal
 *   promtool   (tests and benchmarks) CHRONAWFLOW_PROMTOOL, PATH, the cache, out of Debian's package
 *   alertmanager  (tests and benchmarks) CHRONAWFLOW_ALERTMANAGER, PATH, the cache, out of Debian's package
 *   stress-ng  (tests and benchmarks) PATH, else apt as root; without it tests of pressure on the host are left out
 *   tlog       (tests and benchmarks) CHRONAWFLOW_TLOG_VERIFIER, PATH, the cache, a build with Go of test/support/tlog-verifier
 *
 * What was found is handed on in CHRONAWFLOW_TEMPORAL_CLI, CHRONAWFLOW_POSTGRES_BIN (a directory),
 * CHRONAWFLOW_PGBACKREST, CHRONAWFLOW_TOXIPROXY, CHRONAWFLOW_PROMTOOL, CHRONAWFLOW_ALERTMANAGER and CHRONAWFLOW_TLOG_VERIFIER.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareAlertmanager } from './bootstrap/alertmanager.mjs';
import { BootstrapFailure, explain } from './bootstrap/bootstrap-failure.mjs';
import { preparePackages } from './bootstrap/packages.mjs';
import { preparePostgres } from './bootstrap/postgres.mjs';
import { preparePromtool } from './bootstrap/promtool.mjs';
import { Steps } from './bootstrap/steps.mjs';
import { prepareStressNg } from './bootstrap/stress-ng.mjs';
import { prepareTemporal } from './bootstrap/temporal.mjs';
import { prepareTlogVerifier } from './bootstrap/tlog-verifier.mjs';
import { prepareToxiproxy } from './bootstrap/toxiproxy.mjs';
import { runBench } from './targets/bench.mjs';
import { runDemo } from './targets/demo.mjs';
import { runTests } from './targets/test.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PRODUCT = { packages: preparePackages, temporal: prepareTemporal, postgres: preparePostgres };
const EVERYTHING = {
  ...PRODUCT,
  toxiproxy: prepareToxiproxy,
  promtool: preparePromtool,
  alertmanager: prepareAlertmanager,
  tlog: prepareTlogVerifier,
  'stress-ng': prepareStressNg,
};
const TARGETS = {
  test: { run: runTests, parts: EVERYTHING },
  demo: { run: runDemo, parts: PRODUCT },
  bench: { run: runBench, parts: EVERYTHING },
};

process.exitCode = await main(process.argv.slice(2));

async function main([mode, name, ...rest]) {
  try {
    requireNode();
    if (mode === '--print' && name === undefined) return printVariables(await prepareParts(EVERYTHING));
    if (mode === '--run' && Object.hasOwn(TARGETS, name)) {
      const { run, parts } = TARGETS[name];
      return await run({ root, args: rest, prepare: () => prepareParts(parts) });
    }
    throw new BootstrapFailure(`Unknown call: bootstrap.mjs ${[mode, name].filter(Boolean).join(' ')}`, {
      hint: `node scripts/bootstrap.mjs --run ${Object.keys(TARGETS).join('|')} [arguments], or --print`,
    });
  } catch (error) {
    explain(error);
    return 1;
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new BootstrapFailure(`Node ${process.versions.node} is too old; 20.19 or newer is needed`);
}

/**
 * Resolves with the variables for the target. When one part fails, the others are stopped, so that nobody waits for a
 * build in vain, and the first failure is the one that is reported.
 */
async function prepareParts(parts) {
  const { env } = process;
  const steps = new Steps(Object.keys(parts));
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    let firstFailure;
    const prepared = await Promise.all(
      Object.entries(parts).map(([name, part]) =>
        steps
          .run(name, (note) => part({ root, env, note, signal: abort.signal }))
          .catch((error) => {
            firstFailure ??= error;
            abort.abort();
          }),
      ),
    );
    if (firstFailure !== undefined) throw firstFailure;
    return Object.assign({}, ...prepared);
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

function printVariables(variables) {
  for (const [name, value] of Object.entries(variables)) {
    console.log(`export ${name}='${value.replaceAll("'", "'\\''")}'`);
  }
  return 0;
}
