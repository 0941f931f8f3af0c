import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { whenMissing } from '../../errors';
import { SignerUnavailableError } from '../errors/signer-unavailable-error';
import { NAMESPACE, parsePublicKey, type SshPublicKey, withoutArmour } from '../ssh';

/** Whoever types a passphrase needs a while; a program that hangs has to end. */
const LIMIT_MS = 120_000;

/** `ssh-keygen -Y sign`: it asks for the passphrase on the terminal, never through this process. */
export async function signWithKeygen(file: string, message: string): Promise<string> {
  return withoutArmour(await run(['-Y', 'sign', '-q', '-f', file, '-n', NAMESPACE], message));
}

/** The `.pub` file beside a private key, or what `ssh-keygen` says of it. */
export async function publicKeyBeside(file: string): Promise<SshPublicKey> {
  const beside = await readFile(`${file}.pub`, 'utf8').catch(whenMissing(undefined));
  return parsePublicKey(beside ?? (await run(['-y', '-f', file])));
}

function run(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh-keygen', args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: LIMIT_MS });
    let [out, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      out += part;
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      said += part;
    });
    child.on('error', (cause) =>
      reject(new SignerUnavailableError('ssh-keygen cannot be started', { cause, hint: 'Install OpenSSH.' })),
    );
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else
        reject(
          new SignerUnavailableError(`ssh-keygen: ${said.trim().slice(0, 300) || `it ended with ${code}`}`),
        );
    });
    // It may end before it has read everything; its exit code says why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
