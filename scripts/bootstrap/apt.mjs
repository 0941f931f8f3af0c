import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from './cache.mjs';
import { run } from './command.mjs';
import { exclusively } from './exclusive.mjs';
import { findOnPath } from './programs.mjs';

/** Where Debian reads its own switch against the cluster that installing a server would create and start. */
const CLUSTER_SETTINGS = '/etc/postgresql-common/createcluster.d';

/** apt waits for nobody who fetches package lists: two parts, or two bootstraps, would fail each other. */
export function exclusivelyApt({ env, note, signal }, work) {
  return exclusively(cachePath(env, 'apt.lock'), { note, signal }, work);
}

/**
 * Installs what is missing, when that can be done without asking: as root, on a system with apt. Otherwise it does
 * nothing, and the caller finds the programs still missing.
 *
 * @param missing any of 'postgres' and 'pgbackrest'.
 */
export async function installWithApt(
  missing,
  { env, note, signal, oldestPostgres, clusterSettings = CLUSTER_SETTINGS },
) {
  const apt = findOnPath('apt-get', env);
  if (apt === undefined || process.getuid?.() !== 0) return;
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, signal };
  const install = (...packages) => {
    note(`apt-get install ${packages.join(' ')}`);
    return run(
      apt,
      ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...packages],
      options,
    );
  };

  await exclusivelyApt({ env, note, signal }, async () => {
    let names = await packagesFor(missing, oldestPostgres, options);
    if (names === undefined) {
      note('apt-get update');
      await run(apt, ['update'], options);
      names = await packagesFor(missing, oldestPostgres, options);
    }
    // This release of the distribution has nothing new enough: the message names the PostgreSQL project's archive.
    if (names === undefined) return;
    if (missing.includes('postgres')) await install('postgresql-common');
    await withoutMainCluster(clusterSettings, () => install(...names));
  });
}

/** Undefined while the package lists do not offer all that is needed. */
async function packagesFor(missing, oldestPostgres, options) {
  const offered = await run(
    'apt-cache',
    ['search', '--names-only', '^(postgresql-[0-9]+|pgbackrest)$'],
    options,
  );
  return choosePackages(missing, offered, oldestPostgres);
}

/**
 * @param offered lines of `apt-cache search`: "postgresql-15 - The World's Most Advanced …".
 * @returns the packages to install, the newest server that is offered among them.
 */
export function choosePackages(missing, offered, oldestPostgres) {
  const names = offered.split('\n').map((line) => line.split(' ', 1)[0]);
  const majors = names.flatMap((name) => /^postgresql-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const newest = Math.max(...majors);
  const wanted = {
    postgres: newest >= oldestPostgres ? `postgresql-${newest}` : undefined,
    pgbackrest: names.includes('pgbackrest') ? 'pgbackrest' : undefined,
  };
  const chosen = missing.map((one) => wanted[one]);
  return chosen.includes(undefined) ? undefined : chosen;
}

/** A developer's machine gets programs, not a server that listens from now on. */
async function withoutMainCluster(settings, work) {
  const created = await mkdir(settings, { recursive: true });
  const file = join(settings, 'zz-chronawflow.conf');
  await writeFile(file, 'create_main_cluster = false\n');
  try {
    await work();
  } finally {
    await rm(created ?? file, { recursive: true, force: true });
  }
}
