import { createPrivateKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hasCode } from '../../errors';
import { SignerUnavailableError } from '../errors/signer-unavailable-error';
import { formatSignature, parsePublicKey, type SshPublicKey, signedBytes, signWithAgent } from '../ssh';
import { publicHalf } from './operator-key-file';
import { publicKeyBeside, signWithKeygen } from './ssh-keygen';

/** Signs for one operator; the private half stays where it is. */
export interface Signer {
  readonly key: SshPublicKey;
  /** @returns the signature as ssh-signature.pure.ts reads it. @throws SignerUnavailableError */
  sign(message: string): Promise<string>;
}

/** A key that this process has in its memory, such as one of {@link generateOperatorKey}. @param pem PKCS #8 */
export function signerOfPem(pem: string): Signer {
  const privateKey = createPrivateKey(pem);
  const key = publicHalf(privateKey);
  return { key, sign: async (message) => formatSignature(key, sign(null, signedBytes(message), privateKey)) };
}

/** A key that ssh-agent has. @param socket default SSH_AUTH_SOCK */
export function signerOfAgent(
  key: SshPublicKey,
  socket: string | undefined = process.env.SSH_AUTH_SOCK,
): Signer {
  return {
    key,
    sign: async (message) => {
      if (socket === undefined || socket === '') {
        throw new SignerUnavailableError('no ssh-agent runs', {
          hint: 'Start one (eval "$(ssh-agent)"; ssh-add), or name the private key’s file.',
        });
      }
      return formatSignature(key, await signWithAgent(socket, key, signedBytes(message)));
    },
  };
}

/**
 * The signer for a file: a key of `chronawflow operators keygen` is read; of an OpenSSH private key `ssh-keygen` makes the
 * signature, which asks for the passphrase; a public key (`.pub`) is looked for in ssh-agent.
 *
 * @throws SignerUnavailableError, InvalidInputError
 */
export async function openSigner(file: string): Promise<Signer> {
  const text = await readKey(file);
  if (text.startsWith('ssh-')) return signerOfAgent(parsePublicKey(text));
  if (text.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----')) {
    const key = await publicKeyBeside(file);
    return { key, sign: (message) => signWithKeygen(file, message) };
  }
  try {
    return signerOfPem(text);
  } catch (error) {
    // OpenSSL’s own text might repeat what it has read.
    if (!hasCode(error, 'ERR_OSSL_UNSUPPORTED', 'ERR_OSSL_ASN1_WRONG_TAG', 'ERR_INVALID_ARG_VALUE'))
      throw error;
    throw new SignerUnavailableError(`${file} is no key file`);
  }
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) throw cause;
    throw new SignerUnavailableError(`the key file ${file} cannot be read`, {
      cause,
      hint: 'Name it in CHRONAWFLOW_OPERATOR_KEY; `chronawflow operators keygen` makes one.',
    });
  }
}
