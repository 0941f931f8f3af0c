import type { Intent, SignedIntent } from '../operators';

/** What a request of recovery says beside the names that stand elsewhere. */
interface SignedRequest {
  readonly tenant?: string;
  readonly requestedBy: string;
  readonly intent?: SignedIntent;
}

/**
 * The parameters of the intent for a request: everything of its input, and the run that it is for. Made by whoever signs and by
 * whoever verifies, so that both mean the same.
 */
export function intentParameters(workflowId: string, input: SignedRequest): Intent['parameters'] {
  const { tenant: _, requestedBy: __, intent: ___, ...rest } = input;
  return { workflowId, ...rest };
}

/** Of an approval: which restore, and exactly which diff. */
export function approvalParameters(restoreId: string, diffHash: string): Intent['parameters'] {
  return { restoreId, diffHash };
}

/** Of a rejection. */
export function rejectionParameters(restoreId: string, reason: string): Intent['parameters'] {
  return { restoreId, reason };
}
