import { NoteInvalidError } from './note-invalid-error';

/** One signature line: who says to have signed, by which key, and what. */
export interface NoteSignature {
  readonly name: string;
  /** First four bytes of the key's hash, as an unsigned number. */
  readonly keyId: number;
  readonly signature: Buffer;
}

export interface SignedNote {
  /** What is signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** An ML-DSA-44 signature line has 3.3 KB; a checkpoint with 16 of them and as many others stays below. */
const MAX_BYTES = 256 * 1024;
const MAX_SIGNATURES = 100;
const SIGNATURE_LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

/**
 * Reads a note as C2SP signed-note describes it. Nothing is verified.
 *
 * @throws NoteInvalidError
 */
export function parseNote(bytes: Uint8Array | string): SignedNote {
  const note = decode(bytes);
  const split = note.lastIndexOf('\n\n');
  if (split < 0) throw invalid('it has no blank line before its signatures');
  const text = note.slice(0, split + 1);
  const lines = note.slice(split + 2).split('\n');
  if (lines.pop() !== '') throw invalid('its last line does not end');
  if (lines.length === 0) throw invalid('it has no signature');
  if (lines.length > MAX_SIGNATURES) throw invalid(`it has more than ${MAX_SIGNATURES} signatures`);
  return { text, signatures: lines.map(parseSignatureLine) };
}

/** @throws NoteInvalidError when the text cannot be a note's. */
export function formatNote({ text, signatures }: SignedNote): string {
  const note = `${text}\n${signatures.map(formatSignatureLine).join('')}`;
  const again = parseNote(note);
  if (again.text !== text || again.signatures.length !== signatures.length) {
    throw invalid('text and signatures cannot be told apart');
  }
  return note;
}

export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** Signature lines as a witness answers with them. @throws NoteInvalidError */
export function parseSignatureLines(text: string): NoteSignature[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw invalid('its last line does not end');
  if (lines.length > MAX_SIGNATURES) throw invalid(`it has more than ${MAX_SIGNATURES} signatures`);
  return lines.map(parseSignatureLine);
}

/** A name that may stand in a signature line and in a key. */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s\p{White_Space}+\p{Cc}]/u.test(name);
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, base64] = SIGNATURE_LINE.exec(line) ?? [];
  if (name === undefined || base64 === undefined || !isKeyName(name)) {
    throw invalid(`${JSON.stringify(line.slice(0, 80))} is no signature line`);
  }
  const bytes = decodeBase64(base64);
  if (bytes === undefined || bytes.length < 5) throw invalid(`the signature of ${name} is no base64 of one`);
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) };
}

/** Only the one encoding that RFC 4648 has for these bytes: a second one would be a second note with the same signatures. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

function decode(bytes: Uint8Array | string): string {
  if (bytes.length > MAX_BYTES) throw invalid(`it is longer than ${MAX_BYTES} bytes`);
  const note = typeof bytes === 'string' ? bytes : utf8(bytes);
  if (!note.isWellFormed()) throw invalid('it is no valid UTF-8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw invalid('it has control characters');
  return note;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('it is no valid UTF-8');
  }
}

function invalid(reason: string): NoteInvalidError {
  return new NoteInvalidError('signed note', reason);
}
