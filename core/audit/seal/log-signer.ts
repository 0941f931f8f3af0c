import {
  type Checkpoint,
  formatCheckpoint,
  formatNote,
  keySigner,
  type NoteSigner,
  renamed,
  type SigningKey,
  type VerifierKey,
} from '../note';
import type { ExternalKey } from './external-signer';

/** The keys of a deployment's logs. */
export interface LogKeys {
  /** Signs every checkpoint; its name is the platform log's origin. */
  readonly log: SigningKey | ExternalKey;
  /** The key before it, of the same name: it signs as well, for those who know only that one yet. */
  readonly former?: SigningKey;
  /** ML-DSA-44, for the platform's checkpoints only: a signature takes 7 ms and has 2.4 KB. */
  readonly quantumSafe?: SigningKey;
}

/** What a log's checkpoints are verified with: its key, or with those before it, whose checkpoints are good for ever. */
export type LogVerifiers = VerifierKey | readonly VerifierKey[];

/** Signs the checkpoints of all logs of a deployment. */
export class LogSigner {
  /** Of the platform log; those of the other logs begin with it. */
  readonly origin: string;

  constructor(private readonly keys: LogKeys) {
    this.origin = keys.log.name;
  }

  /** @returns the signed note of a checkpoint. */
  async sign(checkpoint: Checkpoint, now: Date): Promise<string> {
    const text = formatCheckpoint(checkpoint);
    const signatures = await Promise.all(this.signersOf(checkpoint.origin).map((one) => one.sign(text, now)));
    return formatNote({ text, signatures });
  }

  private signersOf(origin: string): NoteSigner[] {
    const { log, former, quantumSafe } = this.keys;
    return [
      signerFor(log, origin),
      ...(former === undefined ? [] : [keySigner(renamed(former, origin))]),
      ...(origin === this.origin && quantumSafe !== undefined ? [keySigner(quantumSafe)] : []),
    ];
  }
}

function signerFor(key: SigningKey | ExternalKey, origin: string): NoteSigner {
  if (!('signWith' in key)) return keySigner(renamed(key, origin));
  const { name, keyId } = renamed(key, origin);
  // A log's own signature is over the note's text. Source: C2SP signed-note, "Signatures".
  const sign = async (text: string) => ({ name, keyId, signature: await key.signWith(Buffer.from(text)) });
  return { key, sign };
}

/** What a log's checkpoints are checked with, given the platform log's keys: a log's key bears the name of its origin. */
export function verifiersOf(platform: LogVerifiers, origin: string): VerifierKey[] {
  return [platform].flat().map((key) => renamed(key, origin));
}

/** The same of one key. */
export function verifierOf(platform: VerifierKey, origin: string): VerifierKey {
  return renamed(platform, origin);
}

/** The platform log's name, which all its keys have. */
export function originOf(platform: LogVerifiers): string {
  return [platform].flat()[0]?.name ?? '';
}
