import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files of the directory `secrets`, each with one generated password. */
export type SecretName =
  | 'application-owner-password'
  | 'application-password'
  | 'platform-password'
  | 'control-password'
  | 'sealer-password'
  | 'repository-pass';

/** 192 bits in characters that need no quoting in SQL, YAML, INI files and URLs. */
const SECRET_BYTES = 24;

/** Reads a secret, or makes one and keeps it in a file of mode 0600. Half a file never counts: it appears by rename. */
export async function ensureSecret(directory: string, name: SecretName): Promise<string> {
  const file = secretFile(directory, name);
  const present = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (present !== undefined) return present.trimEnd();
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  await writeFile(`${file}.new`, `${secret}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return secret;
}

export function secretFile(directory: string, name: SecretName): string {
  return join(directory, name);
}
