import { chown, rename, writeFile } from 'node:fs/promises';
import { runsAsRoot, serverUser } from '../../cluster';

/** Writes a file that the server user owns and nobody else can read; the old one is replaced in one step. */
export async function writeServerFile(path: string, text: string): Promise<void> {
  const draft = `${path}.draft`;
  await writeFile(draft, text, { mode: 0o600 });
  if (runsAsRoot()) {
    const user = await serverUser();
    await chown(draft, user.uid, user.gid);
  }
  await rename(draft, path);
}
