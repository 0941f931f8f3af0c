export { type Checkpoint, formatCheckpoint, parseCheckpoint } from './checkpoint.pure';
export { NoteInvalidError } from './note-invalid-error';
export {
  formatSigningKey,
  formatVerifierKey,
  generateSigningKey,
  parseSigningKey,
  parseVerifierKey,
  renamed,
  type SignatureKind,
  type SigningKey,
  type VerifierKey,
} from './note-keys';
export { keySigner, type NoteSigner, signNote, type VerifiedSignature, verifyNote } from './sign-note';
export {
  decodeBase64,
  formatNote,
  formatSignatureLine,
  isKeyName,
  type NoteSignature,
  parseNote,
  parseSignatureLines,
  type SignedNote,
} from './signed-note.pure';
