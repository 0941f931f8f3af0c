import { execFile } from 'node:child_process';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { hasCode, InvalidInputError, messageOf } from '../../errors';
import { KeyEncryptionKeyInvalidError } from '../errors/key-encryption-key-invalid-error';

/** Wraps data keys. Where its own bytes are is its own affair: in this process, or never. */
export interface KeyEncryptionKey {
  readonly id: string;
  /** @param bound goes with the wrapped key, which unwraps only together with the same text */
  wrap(dataKey: Buffer, bound: string): Promise<Buffer>;
  /** @throws KeyEncryptionKeyInvalidError */
  unwrap(wrapped: Buffer, bound: string): Promise<Buffer>;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A key management service answers within a second; one that does not is away. */
const COMMAND_LIMIT_MS = 15_000;

/** AES-256-GCM with the key that a file has, 32 bytes as base64; the file is read with the first use. */
export function fileKey(id: string, file: string): KeyEncryptionKey {
  let reading: Promise<Buffer> | undefined;
  const key = () => {
    reading ??= readKey(id, file).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
  return {
    id,
    wrap: async (dataKey, bound) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', await key(), nonce).setAAD(Buffer.from(bound));
      return Buffer.concat([nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
    },
    unwrap: async (wrapped, bound) => {
      const nonce = wrapped.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', await key(), nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(bound)).setAuthTag(wrapped.subarray(-TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        throw new KeyEncryptionKeyInvalidError(
          id,
          'it is not the one that the data key was wrapped with',
          cause,
        );
      }
    },
  };
}

/**
 * A program that wraps, such as one that asks a key management service: it is run with `wrap` or `unwrap`, the key's ID and
 * the bound text as its last arguments, gets base64 on standard input and answers with base64 on standard output.
 */
export function commandKey(id: string, [program, ...args]: readonly [string, ...string[]]): KeyEncryptionKey {
  const ask = (verb: 'wrap' | 'unwrap', input: Buffer, bound: string) =>
    new Promise<Buffer>((resolve, reject) => {
      const options = { timeout: COMMAND_LIMIT_MS, maxBuffer: 64 * 1024 };
      const child = execFile(program, [...args, verb, id, bound], options, (error, stdout) => {
        // What it wrote may be the key: no output goes into the error.
        if (error !== null)
          reject(
            new KeyEncryptionKeyInvalidError(
              id,
              `${program} ${verb} failed (${error.code ?? error.signal ?? 'not started'})`,
            ),
          );
        else resolve(Buffer.from(stdout.trim(), 'base64'));
      });
      // A program that ends without reading breaks the pipe; its exit says why.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input.toString('base64'));
    });
  return {
    id,
    wrap: (dataKey, bound) => ask('wrap', dataKey, bound),
    unwrap: async (wrapped, bound) => {
      const dataKey = await ask('unwrap', wrapped, bound);
      if (dataKey.length === KEY_BYTES) return dataKey;
      throw new KeyEncryptionKeyInvalidError(
        id,
        `${program} answered with ${dataKey.length} bytes instead of ${KEY_BYTES}`,
      );
    },
  };
}

/** Makes a key file that only its owner can read. @throws InvalidInputError when the file is there */
export async function writeKeyFile(file: string): Promise<void> {
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64')}\n`);
    await handle.close();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new InvalidInputError(`${file} is there already.`, {
      hint: 'A key is never overwritten: what it wraps could not be read any more. Choose another file.',
    });
  }
}

async function readKey(id: string, file: string): Promise<Buffer> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KeyEncryptionKeyInvalidError(id, `its file cannot be read (${messageOf(cause)})`, cause);
  });
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === KEY_BYTES) return key;
  throw new KeyEncryptionKeyInvalidError(id, `its file has ${key.length} bytes instead of ${KEY_BYTES}`);
}
