import { ChronawflowError } from '../../errors';
import type { PayloadOwner } from '../types';

/** A payload that was encrypted for one tenant turned up in another one's workflow. */
export class PayloadMisplacedError extends ChronawflowError {
  readonly code = 'PAYLOAD_MISPLACED';
  override readonly kind = 'refused';

  constructor(owner: PayloadOwner, workflowId: string) {
    super(
      `Workflow ${workflowId} holds a payload that was encrypted for ${owner === '' ? 'the platform' : owner}.`,
      {
        hint: 'Somebody wrote into Temporal’s database, or a client encrypted for another workflow than the one it started.',
        details: { owner, workflowId },
      },
    );
  }
}
