import type { PoolClient } from 'pg';

/** Who makes a change, and what has to allow it. */
export interface Act {
  readonly by: string;
  /** Called last in the change's transaction: what it throws undoes the change. */
  readonly authorize?: (tx: PoolClient) => Promise<unknown>;
}
