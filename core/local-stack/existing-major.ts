import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The major version that made a data directory; undefined when there is none yet. Source: its file PG_VERSION. */
export async function existingMajor(dataDirectory: string): Promise<number | undefined> {
  const text = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    },
  );
  return text === undefined ? undefined : Number.parseInt(text, 10);
}
