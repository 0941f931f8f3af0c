import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { findGo } from './programs.mjs';

/**
 * The verifier of exported audit logs: a small program of ours on libraries that are not, so it is built from
 * test/support/tlog-verifier, anew when a line of it changes.
 */
export function prepareTlogVerifier(control) {
  const source = join(control.root, 'test', 'support', 'tlog-verifier');
  return prepareProgram(
    {
      variable: 'CHRONAWFLOW_TLOG_VERIFIER',
      title: 'a build of test/support/tlog-verifier',
      name: 'chronawflow-tlog-verifier',
      cached: (env) => cachePath(env, `tlog-verifier-${versionOf(source)}`, 'tlog-verifier'),
      describe: describeVerifier,
      obtain: (staging, { env, note, signal }) => build(source, staging, { env, note, signal }),
    },
    control,
  );
}

function versionOf(source) {
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(source, file)));
  return hash.digest('hex').slice(0, 12);
}

/** "tlog-verifier on golang.org/x/mod v0.43.0, …" */
async function describeVerifier(path, { signal }) {
  const output = (await run(path, ['-version'], { signal, timeoutMs: 30_000 })).trim();
  if (!output.startsWith('tlog-verifier on '))
    throw new Error(`${path} is no tlog-verifier: it answered "${output}"`);
  return output;
}

async function build(source, staging, { env, note, signal }) {
  const go = findGo(env);
  if (go === undefined) throw missing('there is no Go here');
  note('building test/support/tlog-verifier with Go (a few seconds, once)');
  const program = join(staging, 'tlog-verifier');
  try {
    await run(go, ['build', '-C', source, '-o', program, '.'], { env, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw missing(messageOf(error), error);
  }
  return { program, how: 'built with Go' };
}

function missing(why, cause) {
  return new BootstrapFailure(`The log verifier is missing: ${why}`, {
    hint: 'Install Go 1.26 or newer (an older one from 1.21 on fetches it by itself), or export CHRONAWFLOW_TLOG_VERIFIER=/path/to/it',
    cause,
  });
}
