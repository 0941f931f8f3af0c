import { type Finding, ok, warning } from './finding';

/** A file or directory, as far as this process may look at it. */
export interface Place {
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** Permission bits. */
  readonly mode: number;
}

/** What a pgBackRest configuration says of one repository. */
export interface Repository {
  /** `repo1`, `repo2` … */
  readonly name: string;
  /** `posix` unless it is elsewhere. */
  readonly type: string;
  /** `none` when it is not encrypted. */
  readonly cipher: string;
  /** The passphrase stands in the file; else it comes from the environment. */
  readonly passphraseHere: boolean;
  readonly path: string;
}

const GROUP_READS = 0o040;
const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;

/** The repositories of a configuration. Its global section counts: settings of one stanza alone are not access. */
export function repositoriesOf(configuration: string): Repository[] {
  const settings = new Map(
    configuration.split('\n').flatMap((line) => {
      const [, key, value] = /^\s*(repo\d+-[a-z-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value] as const];
    }),
  );
  const names = [...new Set([...settings.keys()].map((key) => key.split('-', 1)[0] ?? ''))].sort();
  return names.map((name) => ({
    name,
    type: settings.get(`${name}-type`) ?? 'posix',
    cipher: settings.get(`${name}-cipher-type`) ?? 'none',
    passphraseHere: settings.has(`${name}-cipher-pass`),
    path: settings.get(`${name}-path`) ?? '/var/lib/pgbackrest',
  }));
}

/** Whether each repository is encrypted. */
export function judgeEncryption(repositories: readonly Repository[]): Finding[] {
  const name = 'repository encryption';
  return repositories.map((repository) =>
    repository.cipher === 'none'
      ? warning(
          name,
          `${repository.name} has none: who reads the repository reads every tenant`,
          `Make a new repository with ${repository.name}-cipher-type=aes-256-cbc; an existing one cannot be changed.`,
        )
      : ok(
          name,
          `${repository.name}: ${repository.cipher}, passphrase ${repository.passphraseHere ? 'in the configuration' : 'from the environment'}`,
        ),
  );
}

/**
 * Who can restore every tenant on this host: whoever reads the repository and, where it is encrypted, the passphrase.
 *
 * @param config the configuration's file
 * @param at places of the repositories that are directories here, by their names; those that cannot be looked at are missing
 */
export function judgeAccess(
  repositories: readonly Repository[],
  config: Place,
  at: ReadonlyMap<string, Place>,
): Finding[] {
  const name = 'who may restore';
  const findings: Finding[] = [];
  if (repositories.some(({ passphraseHere }) => passphraseHere) && config.mode & OTHERS_READ) {
    findings.push(
      warning(
        name,
        `everybody on this host reads the passphrase in ${config.path}, and with it can restore every tenant`,
        `chmod 640 ${config.path}, owned by the server's user; then a new passphrase in a new repository.`,
      ),
    );
  }
  if (config.mode & OTHERS_WRITE)
    findings.push(
      warning(name, `everybody on this host can change ${config.path}`, `chmod o-w ${config.path}`),
    );
  for (const repository of repositories) {
    const place = at.get(repository.name);
    if (place === undefined) continue;
    const open = repository.cipher === 'none' && place.mode & OTHERS_READ;
    if (open || place.mode & OTHERS_WRITE)
      findings.push(
        warning(
          name,
          `everybody on this host can ${open ? 'read' : 'change'} the backups in ${place.path}`,
          `chmod -R o-rwx ${place.path}`,
        ),
      );
  }
  return findings.length > 0 ? findings : [ok(name, sentence(repositories, config, at))];
}

function sentence(
  repositories: readonly Repository[],
  config: Place,
  at: ReadonlyMap<string, Place>,
): string {
  const here = repositories.some(({ passphraseHere }) => passphraseHere) ? [config] : [];
  const places = [...here, ...at.values()];
  const who = places.map(({ owner, group, mode, path }) => {
    const readers = mode & GROUP_READS ? `${owner} and group ${group}` : owner;
    return `${path}: ${readers}`;
  });
  const elsewhere = repositories
    .filter(({ type }) => type !== 'posix')
    .map((one) => `${one.name}: ${one.type}`);
  return `root and who reads ${[...who, ...elsewhere].join('; ')}`;
}
