import { HASH_BYTES } from '../merkle';
import { NoteInvalidError } from './note-invalid-error';
import { decodeBase64 } from './signed-note.pure';

/** A log's tree at one size. Source of the format: C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Names the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** The text of the note that is signed. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/**
 * Extension lines are refused: nothing of ours writes them, and ML-DSA cosignatures do not cover them.
 *
 * @param text of the note, without its signatures.
 * @throws NoteInvalidError
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, size, root, end, ...more] = text.split('\n');
  if (end !== '' || more.length > 0) throw invalid('it has not exactly three lines');
  if (origin === undefined || origin === '') throw invalid('its origin is empty');
  if (size === undefined || !/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw invalid('its second line is no tree size');
  }
  const hash = decodeBase64(root ?? '');
  if (hash?.length !== HASH_BYTES) throw invalid('its third line is no base64 of a SHA-256');
  return { origin, size: Number(size), root: hash };
}

function invalid(reason: string): NoteInvalidError {
  return new NoteInvalidError('checkpoint', reason);
}
