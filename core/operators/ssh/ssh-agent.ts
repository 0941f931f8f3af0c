import { connect } from 'node:net';
import { SignerUnavailableError } from '../errors/signer-unavailable-error';
import { KEY_TYPE, type SshPublicKey } from './ssh-public-key.pure';
import { SshReader, sshString, uint32 } from './ssh-wire.pure';

/** Numbers of messages. Source: IETF draft-miller-ssh-agent, section 6.1. */
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

/** The agent may ask somebody on a screen, or wait for a token to be touched. */
const ANSWER_LIMIT_MS = 60_000;
/** A signature is short; an agent that answers with more is none. */
const MAX_ANSWER = 16 * 1024;

/** Has ssh-agent sign with the key. @returns the 64 bytes. @throws SignerUnavailableError */
export async function signWithAgent(socket: string, key: SshPublicKey, data: Buffer): Promise<Buffer> {
  const answer = new SshReader(await ask(socket, request(key, data)));
  try {
    const type = answer.raw(1)[0];
    if (type !== SIGN_RESPONSE) {
      throw new SignerUnavailableError(`ssh-agent does not sign with ${key.fingerprint}`, {
        hint: 'Add the key: ssh-add ~/.ssh/id_ed25519',
      });
    }
    const inner = new SshReader(answer.string());
    if (inner.string().toString('latin1') !== KEY_TYPE) throw new RangeError('it is of another kind of key');
    return inner.string();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SignerUnavailableError(`what ssh-agent answered is no signature: ${cause.message}`, { cause });
  }
}

function request(key: SshPublicKey, data: Buffer): Buffer {
  return sshString(Buffer.concat([Buffer.of(SIGN_REQUEST), sshString(key.blob), sshString(data), uint32(0)]));
}

/** Sends one message and reads the one that answers it. */
function ask(path: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let received = Buffer.alloc(0);
    const fail = (reason: string, cause?: unknown) => {
      socket.destroy();
      reject(
        new SignerUnavailableError(`ssh-agent at ${path} ${reason}`, {
          cause,
          hint: 'Start one (eval "$(ssh-agent)"), or let SSH_AUTH_SOCK name the one that runs.',
        }),
      );
    };
    socket.setTimeout(ANSWER_LIMIT_MS, () => fail('does not answer'));
    socket.on('error', (cause) => fail('cannot be reached', cause));
    socket.on('end', () => fail('ended without an answer'));
    socket.on('data', (part) => {
      received = Buffer.concat([received, part]);
      if (received.length < 4) return;
      const length = received.readUInt32BE(0);
      if (length > MAX_ANSWER) return fail('answers with something else');
      if (received.length < 4 + length) return;
      socket.destroy();
      resolve(received.subarray(4, 4 + length));
    });
    socket.write(message);
  });
}
