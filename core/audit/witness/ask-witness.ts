import { type LogReader, proveConsistency } from '../log';
import { type NoteSignature, parseNote, parseSignatureLines, type VerifierKey, verifyNote } from '../note';
import { formatWitnessRequest } from './request.pure';
import { WitnessRefusedError } from './witness-refused-error';

export interface WitnessAddress {
  /** Prefix of `/add-checkpoint`. */
  readonly url: string;
  /** Its cosigning key. */
  readonly key: VerifierKey;
}

const TIMEOUT_MS = 10_000;

/**
 * Has a checkpoint cosigned. The witness says what it has seen last, and is proved that the log has grown out of that.
 *
 * @returns the witness's verified signature.
 * @throws WitnessRefusedError
 */
export async function askWitness(log: LogReader, witness: WitnessAddress): Promise<NoteSignature> {
  let oldSize = log.size;
  // The size that it has seen is known only by asking; a second answer that differs is another client's work.
  for (let attempt = 1; ; attempt += 1) {
    const proof = await proveConsistency(log, oldSize);
    const body = formatWitnessRequest({ oldSize, proof, checkpoint: log.note });
    const response = await post(witness, body);
    const text = await response.text();
    const seen = /^(0|[1-9]\d{0,15})\n$/.exec(text)?.[1];
    if (response.status === 200) return ownSignature(log.note, text, witness);
    if (response.status !== 409 || seen === undefined || attempt === 3) {
      throw new WitnessRefusedError(witness.key.name, response.status, text, response.status >= 500);
    }
    if (Number(seen) > log.size) {
      const reason = `it has seen ${seen} entries, and there are ${log.size}: the log was set back`;
      throw new WitnessRefusedError(witness.key.name, 409, reason, false, Number(seen));
    }
    oldSize = Number(seen);
  }
}

async function post({ url, key }: WitnessAddress, body: string): Promise<Response> {
  try {
    return await fetch(`${url.replace(/\/$/, '')}/add-checkpoint`, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new WitnessRefusedError(key.name, 0, `it cannot be reached: ${String(cause)}`, true);
  }
}

/** Of all that it answers only what the configured key has signed counts. */
function ownSignature(note: string, answer: string, { key }: WitnessAddress): NoteSignature {
  const own = parseSignatureLines(answer).find(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (own === undefined)
    throw new WitnessRefusedError(key.name, 200, 'its answer has no signature of its key', false);
  verifyNote({ text: parseNote(note).text, signatures: [own] }, [key]);
  return own;
}
