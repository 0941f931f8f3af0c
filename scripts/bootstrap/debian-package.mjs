import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exclusivelyApt } from './apt.mjs';
import { messageOf } from './bootstrap-failure.mjs';
import { run } from './command.mjs';
import { findOnPath } from './programs.mjs';

/**
 * Takes one program out of a Debian or Ubuntu package. Installing it would add a user and a service that starts now and at every
 * boot. So the package is downloaded, checked by apt, and the one program taken out of it; for that nobody needs to be root unless
 * the package lists were never fetched.
 *
 * @param missing makes the failure from why it was not to be had.
 */
export async function takeFromPackage(staging, { name, program }, { env, note, signal }, missing) {
  const apt = findOnPath('apt-get', env);
  const unpack = findOnPath('dpkg-deb', env);
  if (apt === undefined || unpack === undefined) throw missing('there is no apt here');
  try {
    await exclusivelyApt({ env, note, signal }, () =>
      downloadPackage(apt, name, { cwd: staging, env, note, signal }),
    );
    const archive = (await readdir(staging)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get download left no package');
    await run(unpack, ['-x', join(staging, archive), join(staging, 'unpacked')], { env, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw missing(messageOf(error), error);
  }
  return {
    root: join(staging, 'unpacked'),
    program: join(staging, 'unpacked', 'usr', 'bin', program),
    how: `taken from the package ${name}`,
  };
}

async function downloadPackage(apt, name, { note, ...options }) {
  const get = () => {
    note(`apt-get download ${name}`);
    return run(apt, ['download', name], options);
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
