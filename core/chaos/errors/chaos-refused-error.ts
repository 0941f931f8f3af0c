import { ChronawflowError } from '../../errors';

/** A rule of safety stands against the experiment now. Nothing was injected. */
export class ChaosRefusedError extends ChronawflowError {
  readonly code = 'CHAOS_REFUSED';
  override readonly kind = 'refused';

  constructor(
    /** Which rule, such as `overlap`; stable. */
    readonly rule: string,
    message: string,
    hint?: string,
  ) {
    super(message, { hint, details: { rule } });
  }
}
