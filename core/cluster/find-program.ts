import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { DependencyMissingError } from '../errors';

/** The Temporal CLI that the bootstrap builds and caches; its server is what the tests run against. */
export const TEMPORAL_CLI_VERSION = '1.5.1';
/** The server of scripts/bootstrap/toxiproxy.mjs. */
const TOXIPROXY_VERSION = '2.12.0';

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Every directory of PATH that holds an executable of this name, in order. */
export async function directoriesInPath(name: string): Promise<string[]> {
  const found: string[] = [];
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    if (directory !== '' && (await isExecutable(join(directory, name)))) found.push(directory);
  }
  return found;
}

/** Where the bootstrap keeps the Temporal CLI. */
export function temporalCachePath(): string {
  return join(cacheDirectory(), `temporal-${TEMPORAL_CLI_VERSION}`, 'temporal');
}

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'chronawflow');
}

/** @throws DependencyMissingError */
export async function findTemporalCli(): Promise<string> {
  return findOne({
    name: 'temporal',
    variable: 'CHRONAWFLOW_TEMPORAL_CLI',
    otherPlaces: [temporalCachePath()],
    hint: 'Install it from https://docs.temporal.io/cli, run `npm test` or `npm run demo` once (they fetch it), or name it in CHRONAWFLOW_TEMPORAL_CLI.',
  });
}

/** Toxiproxy's server, on which `up --chaos` and the tests rely. @throws DependencyMissingError */
export async function findToxiproxy(): Promise<string> {
  return findOne({
    name: 'toxiproxy-server',
    variable: 'CHRONAWFLOW_TOXIPROXY',
    otherPlaces: [join(cacheDirectory(), `toxiproxy-${TOXIPROXY_VERSION}`, 'toxiproxy-server')],
    hint: 'Install toxiproxy (Homebrew, or https://github.com/Shopify/toxiproxy/releases), run `npm test` once (it fetches it), or name it in CHRONAWFLOW_TOXIPROXY.',
  });
}

/**
 * @param explicit the configuration's `application.backup.binary`: a name is looked up in PATH, a path taken as it is.
 * @throws DependencyMissingError
 */
export async function findPgBackRest(explicit = 'pgbackrest'): Promise<string> {
  return findOne({
    name: explicit,
    variable: 'CHRONAWFLOW_PGBACKREST',
    otherPlaces: ['/usr/bin/pgbackrest', '/usr/local/bin/pgbackrest', '/opt/homebrew/bin/pgbackrest'],
    hint: 'Install the package pgbackrest (Debian, Ubuntu, Fedora, Homebrew), or name it in CHRONAWFLOW_PGBACKREST.',
  });
}

interface Wanted {
  readonly name: string;
  readonly variable: string;
  readonly otherPlaces: readonly string[];
  readonly hint: string;
}

async function findOne(wanted: Wanted): Promise<string> {
  const { hint } = wanted;
  if (wanted.name.includes('/')) {
    const path = resolve(wanted.name);
    if (await isExecutable(path)) return path;
    throw new DependencyMissingError(`${path} is not an executable program`, { hint });
  }
  const named = process.env[wanted.variable];
  if (named) {
    if (await isExecutable(named)) return resolve(named);
    throw new DependencyMissingError(
      `${wanted.variable} names ${named}, which is not an executable program`,
      {
        hint,
      },
    );
  }
  const [first] = await directoriesInPath(wanted.name);
  if (first !== undefined) return join(first, wanted.name);
  for (const place of wanted.otherPlaces) if (await isExecutable(place)) return place;
  throw new DependencyMissingError(
    `${wanted.name} was not found in PATH or in ${wanted.otherPlaces.join(', ')}`,
    { hint },
  );
}
