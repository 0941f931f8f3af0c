import { ChronawflowError } from '../../errors';
import type { PayloadOwner } from '../types';

/** Somebody who is known asked for payloads that they may not see. */
export class PayloadDecodeRefusedError extends ChronawflowError {
  readonly code = 'PAYLOAD_DECODE_REFUSED';
  override readonly kind = 'refused';

  constructor(operator: string, owner: PayloadOwner) {
    super(`${operator} may not see payloads of ${owner === '' ? 'the platform' : owner}.`, {
      hint: 'payloads.codecServer.tokens, and the operator’s role `viewer`, say whose payloads somebody may see.',
      details: { operator, owner },
    });
  }
}
