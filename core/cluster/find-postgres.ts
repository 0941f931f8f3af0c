import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DependencyMissingError } from '../errors';
import { directoriesInPath, isExecutable } from './find-program';
import { runProgram } from './run-program';

/** The oldest release with `grant set on parameter`, which the merge's role needs. */
export const OLDEST_POSTGRES = 15;

export interface PostgresBin {
  /** Holds postgres, initdb, pg_ctl and their siblings. */
  readonly directory: string;
  readonly major: number;
  /** As the program says it, such as "15.8". */
  readonly version: string;
}

/** Parents under which distributions keep one directory per major version, and what leads from it to the programs. */
const DISTRIBUTION_PARENTS: readonly (readonly [parent: string, pattern: RegExp, below: string])[] = [
  ['/usr/lib/postgresql', /^\d+$/, 'bin'],
  ['/usr', /^pgsql-\d+$/, 'bin'],
  ['/opt/homebrew/opt', /^postgresql(@\d+)?$/, 'bin'],
  ['/usr/local/opt', /^postgresql(@\d+)?$/, 'bin'],
  ['/Library/PostgreSQL', /^\d+$/, 'bin'],
  ['/usr/local', /^pgsql$/, 'bin'],
];

/**
 * The directory of the PostgreSQL server programs: the explicit one, else `CHRONAWFLOW_POSTGRES_BIN`, else the newest
 * in PATH and the distributions' directories.
 *
 * @param wanted.major only this major version: a physical backup can be started by no other.
 * @throws DependencyMissingError when there is none of version 15 or later.
 */
export async function findPostgresBin(
  explicit?: string,
  wanted: { readonly major?: number } = {},
): Promise<PostgresBin> {
  const named = explicit ?? process.env.CHRONAWFLOW_POSTGRES_BIN;
  const candidates = named
    ? [named]
    : [...(await directoriesInPath('postgres')), ...(await distributionDirectories())];
  const found: PostgresBin[] = [];
  for (const directory of new Set(candidates)) {
    const bin = await describe(directory);
    if (bin !== undefined) found.push(bin);
  }
  const best = newestUsable(found, wanted.major);
  if (best !== undefined) return best;
  const asked = wanted.major === undefined ? `${OLDEST_POSTGRES} or later` : String(wanted.major);
  const seen = found.map((bin) => `${bin.directory} (${bin.version})`).join(', ') || 'none';
  throw new DependencyMissingError(
    `PostgreSQL ${asked} was not found${named ? ` in ${named}` : ''}; server programs found: ${seen}`,
    {
      hint: 'Install the server package (Debian and Ubuntu: postgresql, Fedora: postgresql-server, Homebrew: postgresql@16), or name its bin directory in CHRONAWFLOW_POSTGRES_BIN.',
    },
  );
}

/** The newest of those that are new enough, or of the one major version that is asked for. */
export function newestUsable(found: readonly PostgresBin[], major?: number): PostgresBin | undefined {
  return found
    .filter((bin) => (major === undefined ? bin.major >= OLDEST_POSTGRES : bin.major === major))
    .reduce<PostgresBin | undefined>(
      (best, bin) => (best && best.major >= bin.major ? best : bin),
      undefined,
    );
}

/** "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)" → { major: 15, version: "15.8" } */
export function parsePostgresVersion(text: string): Version | undefined {
  const version = /\(PostgreSQL\) (\d+(?:\.\d+|devel|beta\d+|rc\d+)?)/.exec(text)?.[1];
  return version === undefined ? undefined : { major: Number.parseInt(version, 10), version };
}

async function describe(place: string): Promise<PostgresBin | undefined> {
  if (!(await isExecutable(join(place, 'postgres')))) return undefined;
  // PATH may hold links to some of the programs; all of them are where the links lead.
  const postgres = await realpath(join(place, 'postgres'));
  const directory = dirname(postgres);
  for (const program of [join(directory, 'initdb'), join(directory, 'pg_ctl')])
    if (!(await isExecutable(program))) return undefined;
  const version = await versionOf(postgres);
  return version === undefined ? undefined : { directory, ...version };
}

type Version = Pick<PostgresBin, 'major' | 'version'>;

const known = new Map<string, { readonly file: string; readonly version: Version | undefined }>();

/** Asked once for each file; an upgrade replaces it by another one. */
async function versionOf(postgres: string): Promise<Version | undefined> {
  const { ino, size, mtimeMs } = await stat(postgres);
  const file = `${ino} ${size} ${mtimeMs}`;
  const before = known.get(postgres);
  if (before?.file === file) return before.version;
  const version = parsePostgresVersion((await runProgram(postgres, ['--version'])).stdout);
  known.set(postgres, { file, version });
  return version;
}

async function distributionDirectories(): Promise<string[]> {
  const lists = await Promise.all(
    DISTRIBUTION_PARENTS.map(async ([parent, pattern, below]) => {
      const names = await readdir(parent).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
        throw error;
      });
      return names.filter((name) => pattern.test(name)).map((name) => join(parent, name, below));
    }),
  );
  return lists.flat();
}
