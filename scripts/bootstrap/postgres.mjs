import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { installWithApt } from './apt.mjs';
import { BootstrapFailure } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { findOnPath, isProgram, listDirectory } from './programs.mjs';

/** PostgreSQL 15 brought the grants on parameters that the merge relies on. */
export const OLDEST_POSTGRES = 15;
/** The oldest pgBackRest that is tested with. */
const OLDEST_PGBACKREST = [2, 45];

const SERVER_PROGRAMS = ['postgres', 'initdb', 'pg_ctl', 'pg_controldata', 'psql'];

/** Where distributions keep one directory a major version, outside PATH. */
const VERSIONED = [
  { parent: '/usr/lib/postgresql', name: /^(\d+)$/ },
  { parent: '/usr', name: /^pgsql-(\d+)$/ },
  { parent: '/opt/homebrew/opt', name: /^postgresql@(\d+)$/ },
  { parent: '/usr/local/opt', name: /^postgresql@(\d+)$/ },
  { parent: '/home/linuxbrew/.linuxbrew/opt', name: /^postgresql@(\d+)$/ },
];
const PGBACKREST_DIRECTORIES = [
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
];

/** Finds PostgreSQL's server programs and pgBackRest, installs them with apt when root, or says how to get them. */
export async function preparePostgres({ env, note, signal }) {
  let present = await look(env, signal);
  // What somebody names on purpose is used or refused, never silently replaced by another one.
  const named = { postgres: env.CHRONAWFLOW_POSTGRES_BIN, pgbackrest: env.CHRONAWFLOW_PGBACKREST };
  const installable = missingOf(present).filter((one) => !named[one]);
  if (installable.length > 0) {
    await installWithApt(installable, { env, note, signal, oldestPostgres: OLDEST_POSTGRES });
    present = await look(env, signal);
  }
  const missing = missingOf(present);
  if (missing.length > 0) throw missingFailure(missing, present.rejected);
  const { server, pgbackrest } = present;
  return {
    value: { CHRONAWFLOW_POSTGRES_BIN: server.directory, CHRONAWFLOW_PGBACKREST: pgbackrest.path },
    summary: `PostgreSQL ${server.version} in ${server.directory}, pgBackRest ${pgbackrest.version}`,
  };
}

function missingOf({ server, pgbackrest }) {
  return [...(server === undefined ? ['postgres'] : []), ...(pgbackrest === undefined ? ['pgbackrest'] : [])];
}

async function look(env, signal) {
  const rejected = [];
  const server = await firstUsable(
    serverDirectories(env),
    (directory) => describeServer(directory, signal),
    rejected,
  );
  const pgbackrest = await firstUsable(
    pgbackrestPaths(env),
    (path) => describePgbackrest(path, signal),
    rejected,
  );
  return { server, pgbackrest, rejected };
}

/** `describe` resolves with the program, or with `{ reason }` when it is of no use. */
async function firstUsable(candidates, describe, rejected) {
  for (const candidate of candidates) {
    const described = await describe(candidate);
    if (described.reason === undefined) return described;
    rejected.push(described.reason);
  }
  return undefined;
}

/** A directory that is named on purpose is the only candidate; else PATH's, then the newest of the distribution's. */
function serverDirectories(env) {
  if (env.CHRONAWFLOW_POSTGRES_BIN) return [env.CHRONAWFLOW_POSTGRES_BIN];
  const onPath = findOnPath('postgres', env);
  return [...(onPath === undefined ? [] : [dirname(onPath)]), ...versionedDirectories()];
}

function versionedDirectories() {
  return VERSIONED.flatMap(({ parent, name }) =>
    listDirectory(parent)
      .map((entry) => ({ entry, match: name.exec(entry) }))
      .filter(({ match }) => match !== null)
      .map(({ entry, match }) => ({ major: Number(match[1]), directory: join(parent, entry, 'bin') })),
  )
    .filter(({ major, directory }) => major >= OLDEST_POSTGRES && isProgram(join(directory, 'postgres')))
    .sort((left, right) => right.major - left.major)
    .map(({ directory }) => realpathSync(directory));
}

async function describeServer(directory, signal) {
  const absent = SERVER_PROGRAMS.filter((name) => !isProgram(join(directory, name)));
  if (absent.length > 0) return { reason: `${directory} lacks ${absent.join(', ')}` };
  const output = await run(join(directory, 'postgres'), ['--version'], { signal, timeoutMs: 30_000 });
  const version = /\(PostgreSQL\) (\d+[.\w]*)/.exec(output)?.[1];
  if (version === undefined || Number.parseInt(version, 10) < OLDEST_POSTGRES) {
    return { reason: `${directory} holds PostgreSQL ${version ?? 'of an unknown version'}` };
  }
  return { directory, version };
}

function pgbackrestPaths(env) {
  if (env.CHRONAWFLOW_PGBACKREST) return [env.CHRONAWFLOW_PGBACKREST];
  const onPath = findOnPath('pgbackrest', env);
  const elsewhere = PGBACKREST_DIRECTORIES.map((directory) => join(directory, 'pgbackrest')).filter(
    isProgram,
  );
  return onPath === undefined ? elsewhere : [onPath, ...elsewhere];
}

async function describePgbackrest(path, signal) {
  if (!isProgram(path)) return { reason: `${path} is no program` };
  const output = await run(path, ['version'], { signal, timeoutMs: 30_000 });
  const [, major, minor] = (/pgBackRest (\d+)\.(\d+)/.exec(output) ?? []).map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_PGBACKREST;
  const current = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  if (!current) return { reason: `${path} answers "${output.trim()}"` };
  return { path, version: /pgBackRest (\S+)/.exec(output)?.[1] };
}

function missingFailure(missing, rejected) {
  const names = {
    postgres: `PostgreSQL ${OLDEST_POSTGRES} or newer`,
    pgbackrest: `pgBackRest ${OLDEST_PGBACKREST.join('.')} or newer`,
  };
  const what = missing.map((one) => names[one]).join(' and ');
  return new BootstrapFailure(`${what} is missing`, {
    hint: [
      ...rejected.map((reason) => `Not usable: ${reason}.`),
      'Install both with one of these, then run the same command again:',
      '  Debian 12, Ubuntu 24.04 or newer',
      '    sudo apt-get update && sudo apt-get install -y --no-install-recommends postgresql pgbackrest',
      '  older Debian and Ubuntu, from the PostgreSQL project',
      '    sudo apt-get install -y postgresql-common && sudo /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y',
      '    sudo apt-get install -y --no-install-recommends postgresql-17 pgbackrest',
      '  Fedora',
      '    sudo dnf install -y postgresql-server postgresql-contrib pgbackrest',
      '  macOS or Linux with Homebrew',
      '    brew install postgresql@17 pgbackrest',
      'Programs in another place: export CHRONAWFLOW_POSTGRES_BIN=/directory and CHRONAWFLOW_PGBACKREST=/path/to/pgbackrest.',
    ].join('\n'),
  });
}
