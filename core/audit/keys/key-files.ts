import { open, readFile } from 'node:fs/promises';
import { hasCode, InvalidInputError } from '../../errors';
import {
  formatSigningKey,
  parseSigningKey,
  parseVerifierKey,
  type SigningKey,
  type VerifierKey,
} from '../note';

const MAX_KEY_BYTES = 16 * 1024;

/** Reads a signing key; the errors name the file and never show the key. @throws InvalidInputError, NoteInvalidError */
export async function readSigningKey(file: string): Promise<SigningKey> {
  return parseSigningKey(await readKey(file));
}

/** A public key, or the file that has it. */
export async function readVerifierKey(keyOrFile: string): Promise<VerifierKey> {
  return parseVerifierKey(keyOrFile.includes('+') ? keyOrFile : await readKey(keyOrFile));
}

/** Public keys of one log, one a line, or the file that has them: the newest first. */
export async function readVerifierKeys(keyOrFile: string): Promise<VerifierKey[]> {
  const text = keyOrFile.includes('+') ? keyOrFile : await readKey(keyOrFile);
  const keys = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [parseVerifierKey(line)]));
  if (keys.length === 0 || keys.some(({ name }) => name !== keys[0]?.name)) {
    throw new InvalidInputError('These are not the keys of one log.', {
      hint: 'Give one public key a line, all with the name of the log.',
    });
  }
  return keys;
}

/** Writes a signing key where no file is yet, readable by its owner alone. @throws InvalidInputError */
export async function writeSigningKey(file: string, key: SigningKey): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${formatSigningKey(key)}\n`);
    await handle.close();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new InvalidInputError(`${file} is there already.`, {
      hint: 'A key is never overwritten: what it has signed could not be verified any more. Choose another file.',
    });
  }
}

async function readKey(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length <= MAX_KEY_BYTES) return text;
    throw new InvalidInputError(`${file} is no key file: it is too long.`);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) throw error;
    throw new InvalidInputError(`The key file ${file} cannot be read.`, {
      hint: 'Name it in audit.keyFile or with --key, and let this user read it; `chronawflow audit keygen` makes one.',
    });
  }
}
