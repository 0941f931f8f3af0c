import type { Bundle } from './bundle';

/** One log at one size, wherever it is kept: in the database, or as an exported directory. */
export interface LogReader {
  readonly origin: string;
  readonly size: number;
  /**
   * Entries below it were dropped by a retention; a multiple of 256, and 0 when all are there. Their hashes are there. Source: C2SP
   * tlog-tiles, "Pruning".
   */
  readonly minimumIndex: number;
  /** The signed note of this size. */
  readonly note: string;
  /** Leaf hashes are kept beside the entries, so the two can differ. */
  readonly keepsLeafHashes: boolean;
  /** @throws LogDamagedError when entries are missing */
  bundle(index: number, width: number): Promise<Bundle>;
  /** Hashes of a tile, one after the other. @throws LogDamagedError when some are missing */
  tile(level: number, index: number, width: number): Promise<Buffer>;
}
