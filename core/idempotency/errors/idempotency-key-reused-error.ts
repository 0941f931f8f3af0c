import { ChronawflowError } from '../../errors';

/** The key was used before with another payload; nothing was done. */
export class IdempotencyKeyReusedError extends ChronawflowError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED';
  override readonly kind = 'refused';

  constructor(ref: { readonly tenant: string; readonly scope: string; readonly key: string }) {
    super(`Key ${ref.key} of ${ref.scope}, tenant ${ref.tenant}, was used before with another input.`, {
      hint: 'Send the same input again, or use a new key for a new request.',
      details: { ...ref },
    });
  }
}
