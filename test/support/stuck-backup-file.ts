import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { link, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Of `pg_am`: a page, so that what it gives fits into a pipe. */
const SMALL_FILE = '2601.';

/**
 * While `work` runs, one file of the repository's backup gives nothing, so that a restore stands in its middle for as long as the
 * test needs. `goOn` gives what is in the file to whoever waits for it, and puts it back; that is done at the end at the latest.
 */
export async function withStuckBackupFile(
  repository: string,
  work: (goOn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const file = await smallFile(join(repository, 'backup'));
  const [content, pipe] = [`${file}.content`, `${file}.pipe`];
  execFileSync('mkfifo', ['-m', '0644', pipe]);
  await link(file, content);
  await link(pipe, `${pipe}.stuck`);
  await rename(`${pipe}.stuck`, file);
  let stuck = true;
  const goOn = async () => {
    if (!stuck) return;
    stuck = false;
    await rename(content, file);
    // Opened for both, it waits for nobody; who opened it to read has what is written also after it is closed here.
    const writer = await open(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    await writer.writeFile(await readFile(file));
    await writer.close();
    await rm(pipe);
  };
  try {
    await work(goOn);
  } finally {
    await goOn();
  }
}

async function smallFile(backups: string): Promise<string> {
  const entries = await readdir(backups, { recursive: true, withFileTypes: true });
  const found = entries.find((entry) => entry.isFile() && entry.name.startsWith(SMALL_FILE));
  if (found === undefined) throw new Error(`there is no ${SMALL_FILE} in the backup`);
  return join(found.parentPath, found.name);
}
