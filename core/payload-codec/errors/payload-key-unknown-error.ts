import { ChronawflowError } from '../../errors';

/** A payload names a key that the control plane does not have. */
export class PayloadKeyUnknownError extends ChronawflowError {
  readonly code = 'PAYLOAD_KEY_UNKNOWN';

  constructor(keyId: string) {
    super(`The control plane has no payload key ${keyId}.`, {
      hint: 'Point platform.database at the control plane that the payload was written with; after a restore of it, keys made since then are lost with the backups that lack them.',
      details: { keyId },
    });
  }
}
