import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DependencyMissingError } from '../../errors';
import type { VerifierKey } from '../note';
import { ed25519 } from '../note/algorithms';

/** A signing key that another program holds: a KMS, an HSM, a card. */
export interface ExternalKey extends VerifierKey {
  /** @returns the 64 bytes of an Ed25519 signature. */
  readonly signWith: (message: Buffer) => Promise<Buffer>;
}

/** A card may want a moment; a program that hangs must not hold up the sealer for ever. */
const ANSWER_LIMIT_MS = 10_000;

/**
 * Signs by a program that runs beside the sealer: it is given messages as lines of base64 on its standard input, one for each
 * log that grows, and answers each with the signature as a line of base64, in the same order. Every signature is verified before it
 * is used. A program that has ended is started again with the next message.
 */
export class ExternalSigner {
  private child: ChildProcess | undefined;
  private readonly waiting: {
    readonly answer: (line: string) => void;
    readonly fail: (error: Error) => void;
  }[] = [];

  constructor(
    private readonly command: readonly [string, ...string[]],
    private readonly key: VerifierKey,
  ) {}

  /** The key as LogSigner takes it. */
  get external(): ExternalKey {
    const { name, kind, keyId, publicKey } = this.key;
    return { name, kind, keyId, publicKey, signWith: (message) => this.sign(message) };
  }

  close(): void {
    this.child?.kill();
    this.child = undefined;
  }

  private async sign(message: Buffer): Promise<Buffer> {
    const signature = Buffer.from(await this.ask(message.toString('base64')), 'base64');
    if (ed25519.verify(this.key.publicKey, message, signature)) return signature;
    throw this.failed('its answer is no signature of audit.publicKey');
  }

  private ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.running();
      const limit = setTimeout(() => {
        this.end(child, this.failed(`it does not answer within ${ANSWER_LIMIT_MS / 1_000} s`));
        child.kill('SIGKILL');
      }, ANSWER_LIMIT_MS);
      this.waiting.push({
        answer: (answer) => {
          clearTimeout(limit);
          resolve(answer);
        },
        fail: (error) => {
          clearTimeout(limit);
          reject(error);
        },
      });
      child.stdin?.write(`${line}\n`);
    });
  }

  private running(): ChildProcess {
    if (this.child !== undefined) return this.child;
    const [program, ...args] = this.command;
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    child.on('error', (error) => this.end(child, this.failed(error.message)));
    child.on('exit', (code, signal) => this.end(child, this.failed(`it ended with ${code ?? signal}`)));
    // It may end before it has read everything; its exit says so.
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.waiting.shift()?.answer(line));
    return child;
  }

  private end(child: ChildProcess, error: Error): void {
    if (this.child !== child) return;
    this.child = undefined;
    for (const { fail } of this.waiting.splice(0)) fail(error);
  }

  private failed(reason: string): DependencyMissingError {
    return new DependencyMissingError(`The program of audit.signCommand cannot sign: ${reason}.`, {
      hint: 'Run it by hand: it reads lines of base64 and answers each with a signature as a line of base64.',
    });
  }
}
