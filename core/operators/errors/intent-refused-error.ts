import { ChronawflowError } from '../../errors';
import type { IntentRefusal } from '../intent/check-intent.pure';

/** A signed intent, or the want of one, does not allow what was asked; nothing was changed. */
export class IntentRefusedError extends ChronawflowError {
  readonly code: IntentRefusal['code'];
  override readonly kind = 'refused';

  constructor({ code, message, hint }: IntentRefusal, details: Readonly<Record<string, unknown>> = {}) {
    super(message, { hint, details });
    this.code = code;
  }
}
