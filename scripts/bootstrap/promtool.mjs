import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exclusivelyApt } from './apt.mjs';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { findOnPath } from './programs.mjs';

/** The oldest that is tested with. */
const OLDEST = [2, 42];

/** Prometheus' promtool, with which the tests check and run the alert rules. */
export function preparePromtool(control) {
  return prepareProgram(
    {
      variable: 'CHRONAWFLOW_PROMTOOL',
      title: 'a promtool',
      name: 'promtool',
      cached: (env) => cachePath(env, 'promtool', 'promtool'),
      describe: describePromtool,
      obtain,
    },
    control,
  );
}

/** "promtool, version 2.42.0+ds (branch: …)" */
async function describePromtool(path, { signal }) {
  const output = await run(path, ['--version'], { signal, timeoutMs: 30_000 });
  const [, version, ...parts] = /promtool, version ((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  if (version === undefined) throw new Error(`${path} is no promtool: it answered "${output.trim()}"`);
  const [major, minor] = parts.map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new Error(`${path} is promtool ${version}; ${OLDEST.join('.')} or newer is needed`);
  return `promtool ${version}`;
}

/**
 * Debian and Ubuntu ship promtool inside the package of the Prometheus server, whose installation adds a user and a
 * service that starts now and at every boot. So the package is downloaded, checked by apt, and the one program taken
 * out of it; for that nobody needs to be root unless the package lists were never fetched.
 */
async function obtain(staging, { env, note, signal }) {
  const apt = findOnPath('apt-get', env);
  const unpack = findOnPath('dpkg-deb', env);
  if (apt === undefined || unpack === undefined) throw missing('there is no apt here');
  try {
    await exclusivelyApt({ env, note, signal }, () =>
      downloadPackage(apt, { cwd: staging, env, note, signal }),
    );
    const archive = (await readdir(staging)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download left no package');
    await run(unpack, ['-x', join(staging, archive), join(staging, 'unpacked')], { env, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw missing(messageOf(error), error);
  }
  return {
    program: join(staging, 'unpacked', 'usr', 'bin', 'promtool'),
    how: 'taken from the package prometheus',
  };
}

async function downloadPackage(apt, { note, ...options }) {
  const get = () => {
    note('apt-get download prometheus');
    return run(apt, ['download', 'prometheus'], options);
  };
  try {
    await get();
  } catch (error) {
    options.signal?.throwIfAborted();
    if (process.getuid?.() !== 0) throw error;
    note('apt-get update');
    await run(apt, ['update'], options);
    await get();
  }
}

function missing(why, cause) {
  return new BootstrapFailure(`promtool ${OLDEST.join('.')} or newer is missing`, {
    hint: [
      `It could not be fetched (${why}). Install it with one of these, then run the same command again:`,
      '  Debian 12, Ubuntu 24.04 or newer (fetches the package lists; the program is then taken from the package)',
      '    sudo apt-get update',
      '  Fedora',
      '    sudo dnf install -y /usr/bin/promtool',
      '  macOS or Linux with Homebrew',
      '    brew install prometheus',
      'A program in another place: export CHRONAWFLOW_PROMTOOL=/path/to/promtool.',
    ].join('\n'),
    cause,
  });
}
