import { RefusalError } from '../../errors';

export type BulkheadRefusal = 'queue-full' | 'tenant-queue-full' | 'waited-too-long';

/** A bulkhead had no place for the call, nor in its queue; it was not made. */
export class BulkheadFullError extends RefusalError {
  readonly code = 'BULKHEAD_FULL';

  constructor(
    readonly bulkhead: string,
    readonly tenant: string,
    readonly reason: BulkheadRefusal,
  ) {
    super(() => `${bulkhead}: no place for a call of tenant '${tenant}': ${reason.replaceAll('-', ' ')}.`, {
      details: { bulkhead, tenant, reason },
    });
  }
}
