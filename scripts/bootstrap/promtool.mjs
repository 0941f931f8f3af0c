import { BootstrapFailure } from './bootstrap-failure.mjs';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { takeFromPackage } from './debian-package.mjs';

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

/** Debian and Ubuntu ship promtool inside the package of the Prometheus server. */
function obtain(staging, control) {
  return takeFromPackage(staging, { name: 'prometheus', program: 'promtool' }, control, missing);
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
