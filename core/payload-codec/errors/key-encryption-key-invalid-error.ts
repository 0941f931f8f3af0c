import { ChronawflowError } from '../../errors';

/** A key-encryption key cannot be had, or is not the one that a data key was wrapped with. */
export class KeyEncryptionKeyInvalidError extends ChronawflowError {
  readonly code = 'KEY_ENCRYPTION_KEY_INVALID';

  constructor(id: string, reason: string, cause?: unknown) {
    super(`The key-encryption key ${id} cannot be used: ${reason}.`, {
      cause,
      hint: 'See payloads.keyEncryptionKeys: its file has 32 bytes as base64 (`chronawflow keys keygen`), or its command answers with base64; keep every key that still wraps one (`chronawflow keys list`).',
      details: { id },
    });
  }
}
