import { ChronawflowError } from '../../errors';

/** Encryption is on, and a payload came without. */
export class PlainPayloadRefusedError extends ChronawflowError {
  readonly code = 'PLAIN_PAYLOAD_REFUSED';
  override readonly kind = 'refused';

  constructor(workflowId: string | undefined) {
    super(
      `A payload ${workflowId === undefined ? '' : `of ${workflowId} `}is not encrypted, and payloads have to be.`,
      {
        hint: 'Send it through Chronawflow’s client or `temporal --codec-endpoint`; runs from before encryption need payloads.plainUntil.',
        details: workflowId === undefined ? {} : { workflowId },
      },
    );
  }
}
