/** What the freeze and the merge did. */

import type { UndoneCounts } from './preview';

export interface FreezeResult {
  readonly frozenAt: string;
  readonly until: string;
  readonly tables: number;
  readonly attempts: number;
  /** Longest time another session could have waited for the freeze's locks. */
  readonly longestLockMs: number;
}

export type MergeResult =
  | {
      readonly kind: 'merged';
      readonly mergedAt: string;
      readonly digestBefore: string;
      readonly digestAfter: string;
      readonly rows: readonly {
        readonly table: string;
        readonly inserted: number;
        readonly updated: number;
        readonly deleted: number;
      }[];
      readonly sequencesForwarded: readonly string[];
      /** Marked as `effects undone` in the same transaction; absent in an undo. */
      readonly undoneEffects?: UndoneCounts;
      /** Milliseconds by step inside the merge. */
      readonly timings: Readonly<Record<string, number>>;
    }
  /** The diff is no longer the approved one; nothing was changed. */
  | { readonly kind: 'diff-changed'; readonly diffHash: string };
