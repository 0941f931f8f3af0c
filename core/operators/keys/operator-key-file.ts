import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { hasCode, InvalidInputError } from '../../errors';
import { publicKeyOf, type SshPublicKey } from '../ssh';

/** Makes a key where no file is yet, readable by its owner alone. Only the public half is ever given to anybody. */
export async function generateOperatorKey(file: string): Promise<SshPublicKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    const handle = await open(file, 'wx', 0o600);
    await handle.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await handle.close();
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    throw new InvalidInputError(`${file} is there already.`, {
      hint: 'A key is never overwritten. Choose another file.',
    });
  }
  return publicHalf(privateKey);
}

/** The public half of a private Ed25519 key. */
export function publicHalf(privateKey: KeyObject): SshPublicKey {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  if (privateKey.asymmetricKeyType !== 'ed25519' || x === undefined)
    throw new InvalidInputError('An operator signs with an Ed25519 key.');
  return publicKeyOf(Buffer.from(x, 'base64url'));
}
