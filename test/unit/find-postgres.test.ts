import { chmod, mkdtemp, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresBin } from '../../core/cluster';

let directory: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'cf-programs-')));
  for (const name of ['initdb', 'pg_ctl']) await program(name, '');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Put in its place as a package manager does. */
async function program(name: string, prints: string): Promise<void> {
  const draft = join(directory, `${name}.new`);
  await writeFile(draft, `#!/bin/sh\necho '${prints}'\necho asked >> '${directory}/asked'\n`);
  await chmod(draft, 0o755);
  await rename(draft, join(directory, name));
}

test('an upgrade under a running process is noticed, and one file is asked once for its version', async () => {
  await program('postgres', 'postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)');
  expect(await findPostgresBin(directory)).toEqual({ directory, major: 15, version: '15.8' });
  await rm(join(directory, 'asked'));
  expect(await findPostgresBin(directory)).toEqual({ directory, major: 15, version: '15.8' });
  await expect(realpath(join(directory, 'asked'))).rejects.toMatchObject({ code: 'ENOENT' });

  await program('postgres', 'postgres (PostgreSQL) 16.14 (Debian 16.14-1)');
  expect(await findPostgresBin(directory)).toEqual({ directory, major: 16, version: '16.14' });
});
