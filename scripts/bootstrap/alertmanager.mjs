import { cp, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BootstrapFailure, messageOf } from './bootstrap-failure.mjs';
import { cachePath } from './cache.mjs';
import { prepareProgram } from './cached-program.mjs';
import { run } from './command.mjs';
import { takeFromPackage } from './debian-package.mjs';

/** The oldest that is tested with. */
const OLDEST = [0, 25];

/** Prometheus' Alertmanager, whose webhooks the tests let escalate. */
export function prepareAlertmanager(control) {
  return prepareProgram(
    {
      variable: 'CHRONAWFLOW_ALERTMANAGER',
      title: 'an Alertmanager',
      // As Debian calls it.
      name: 'prometheus-alertmanager',
      cached: (env) => cachePath(env, 'alertmanager', 'alertmanager'),
      describe: describeAlertmanager,
      obtain,
    },
    control,
  );
}

/** Where Debian's program reads its templates from, other than the released one, which carries them. */
const TEMPLATES = '/usr/share/prometheus/alertmanager';

async function obtain(staging, options) {
  const name = 'prometheus-alertmanager';
  const { root, ...taken } = await takeFromPackage(staging, { name, program: name }, options, missing);
  const packaged = join(root, TEMPLATES);
  try {
    await mkdir(TEMPLATES, { recursive: true });
    for (const file of (await readdir(packaged)).filter((one) => one.endsWith('.tmpl')))
      await cp(join(packaged, file), join(TEMPLATES, file));
  } catch (error) {
    throw missing(`its templates cannot be put into ${TEMPLATES}: ${messageOf(error)}`, error);
  }
  return taken;
}

/** "alertmanager, version 0.25.0 (branch: …)" */
async function describeAlertmanager(path, { signal }) {
  const output = await run(path, ['--version'], { signal, timeoutMs: 30_000 });
  const [, version, ...parts] = /alertmanager, version ((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  if (version === undefined) throw new Error(`${path} is no Alertmanager: it answered "${output.trim()}"`);
  const [major, minor] = parts.map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new Error(`${path} is Alertmanager ${version}; ${OLDEST.join('.')} or newer is needed`);
  if (output.includes('debian') && !(await isThere(join(TEMPLATES, 'default.tmpl'))))
    throw new Error(`${path} is Debian's Alertmanager, and ${TEMPLATES}/default.tmpl is not there`);
  return `Alertmanager ${version}`;
}

function isThere(file) {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function missing(why, cause) {
  return new BootstrapFailure(`Alertmanager ${OLDEST.join('.')} or newer is missing`, {
    hint: [
      `It could not be fetched (${why}). Install it with one of these, then run the same command again:`,
      '  Debian 12, Ubuntu 24.04 or newer (adds a service; as root it is not installed but taken from the package)',
      '    sudo apt-get update && sudo apt-get install -y prometheus-alertmanager',
      '  macOS or Linux with Homebrew',
      '    brew install alertmanager',
      'A program in another place: export CHRONAWFLOW_ALERTMANAGER=/path/to/alertmanager.',
    ].join('\n'),
    cause,
  });
}
