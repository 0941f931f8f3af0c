import { RETENTION_BEGINNING, type RetentionRecord, retentionIn } from '../event';
import { LogDamagedError, type LogReader } from '../log';
import {
  type Digest,
  Frontier,
  HASH_BYTES,
  splitHashes,
  TILE_HEIGHT,
  TILE_WIDTH,
  tileIn,
  tilesOf,
  tilesOfLevel,
} from '../merkle';

/** What the tree had to be at a size, and who says so. */
export interface RootClaim {
  readonly size: number;
  readonly root: Buffer;
  /** Such as `its checkpoint`. */
  readonly by: string;
}

export interface Violation {
  /** Of the log; empty for what is wrong with the database itself. */
  readonly origin: string;
  /** The entry or the size that is concerned, where it can be told. */
  readonly index?: number;
  readonly eventId?: string;
  readonly problem: string;
}

/** Entries that a retention has dropped: their hashes are there, and are verified. */
export interface DroppedPrefix extends RetentionRecord {
  readonly origin: string;
  /** So many, from the first one on. */
  readonly entries: number;
}

export interface VerifyHooks {
  /**
   * Entries from here on are read; of whole bundles before it their hashes are believed that are kept above the leaves, so that only
   * what is signed at the ends of bundles is compared, and what may be missing is not judged.
   */
  readonly from?: number;
  /** Sees the entries of each bundle, in their order. */
  readonly entries?: (first: number, entries: readonly Buffer[]) => void | Promise<void>;
  /** Told what was dropped, by a decision that is in the log. */
  readonly dropped?: (prefix: DroppedPrefix) => void;
  /** Told after each bundle how many entries were read. */
  readonly progress?: (entries: number) => void;
}

type Claims = AsyncIterable<RootClaim> | Iterable<RootClaim>;

/**
 * Computes the whole tree anew from the entries and compares it with every claim about it and with the tiles that are kept.
 * Streams: a bundle at a time is in memory, and a hash for each of them.
 *
 * @param claims in the order of their sizes
 */
export async function verifyLog(
  log: LogReader,
  claims: Claims,
  hooks: VerifyHooks = {},
): Promise<Violation[]> {
  const check = new TreeCheck(log, claims);
  await check.settle();
  let decided: RetentionRecord | undefined;
  for (const { index, width } of tilesOfLevel(0, log.size)) {
    if (width === TILE_WIDTH && (index + 1) * TILE_WIDTH <= (hooks.from ?? 0)) {
      if (!(await check.believe(index))) return check.violations;
      continue;
    }
    if (index * TILE_WIDTH < log.minimumIndex) {
      const kept = await check.orDamage(() => log.tile(0, index, width));
      if (kept === undefined) return check.violations;
      await check.append(splitHashes(kept));
      continue;
    }
    const bundle = await check.orDamage(() => log.bundle(index, width));
    // Without the entries nothing behind them can be computed.
    if (bundle === undefined) return check.violations;
    const { digests } = bundle;
    await check.append(digests);
    if (log.keepsLeafHashes) await check.compareTile(0, index, digests);
    if (bundle.mayHave(RETENTION_BEGINNING))
      for (const entry of bundle.entries) decided = furthest(decided, retentionIn(entry, log.origin));
    if (hooks.entries !== undefined) await hooks.entries(index * TILE_WIDTH, bundle.entries);
    hooks.progress?.(index * TILE_WIDTH + width);
  }
  for (const { level, index, width } of tilesOf(log.size)) {
    if (level > 0) await check.compareTile(level, index, check.computed(level, index, width));
  }
  const judged = (hooks.from ?? 0) <= log.minimumIndex;
  if (judged && log.minimumIndex > (decided?.minimumIndex ?? 0)) check.missesPrefix(log.minimumIndex);
  else if (log.minimumIndex > 0 && decided !== undefined)
    hooks.dropped?.({ ...decided, origin: log.origin, entries: log.minimumIndex });
  await check.end();
  return check.violations;
}

function furthest(a: RetentionRecord | undefined, b: RetentionRecord | undefined) {
  return (b?.minimumIndex ?? -1) > (a?.minimumIndex ?? -1) ? b : a;
}

class TreeCheck {
  readonly violations: Violation[] = [];
  private frontier = Frontier.empty;
  private readonly claims: AsyncIterator<RootClaim>;
  private next: RootClaim | undefined;
  private begun = false;
  /** The tile of level 1 that was read last. */
  private above: { readonly index: number; readonly hashes: readonly Digest[] } | undefined;
  /** Roots of full tiles, by the level of the tile that they are a hash of. */
  private readonly upper: Digest[][] = [];

  constructor(
    private readonly log: LogReader,
    claims: Claims,
  ) {
    this.claims = inOrder(claims);
  }

  /** Roots are computed only at the sizes that somebody signs. */
  async append(hashes: readonly Digest[]): Promise<void> {
    let rest = hashes;
    while (rest.length > 0) {
      const until = this.next?.size ?? Number.POSITIVE_INFINITY;
      const part = rest.slice(0, until - this.frontier.size);
      rest = rest.slice(part.length);
      this.frontier = this.frontier.append(part, (level, _, digest) => {
        if (level % TILE_HEIGHT === 0) this.keep(level / TILE_HEIGHT, digest);
      });
      if (this.frontier.size === until) await this.settle();
    }
  }

  /** Takes a bundle's hash from the tile above it. @returns whether it is there */
  async believe(index: number): Promise<boolean> {
    const above = Math.floor(index / TILE_WIDTH);
    if (this.above?.index !== above) {
      const { width } = tileIn(this.log.size, { level: 1, index: above });
      const tile = await this.orDamage(() => this.log.tile(1, above, width));
      if (tile === undefined) return false;
      this.above = { index: above, hashes: splitHashes(tile) };
    }
    const digest = this.above.hashes[index % TILE_WIDTH] ?? '';
    this.frontier = this.frontier.appendSubtree(TILE_HEIGHT, digest, (level, _, completed) => {
      if (level % TILE_HEIGHT === 0) this.keep(level / TILE_HEIGHT, completed);
    });
    // What is signed within the bundle cannot be computed.
    while (this.next !== undefined && this.next.size < this.frontier.size) await this.advance();
    await this.settle();
    return true;
  }

  computed(level: number, index: number, width: number): Digest[] {
    return (this.upper[level] ?? []).slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
  }

  async compareTile(level: number, index: number, computed: readonly Digest[]): Promise<void> {
    const kept = await this.orDamage(() => this.log.tile(level, index, computed.length));
    const all = kept?.toString('binary');
    if (all === undefined || all === computed.join('')) return;
    const at = computed.findIndex((digest, i) => all.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES) !== digest);
    const entry = (index * TILE_WIDTH + at) * TILE_WIDTH ** level;
    const last = entry + TILE_WIDTH ** level - 1;
    const what = level === 0 ? `entry ${entry} is` : `entries ${entry} to ${last} are`;
    this.add(`${what} not what the hash in tile ${level} was made of`, entry);
  }

  /** Compares what is claimed of the size that is reached, and looks what is claimed next. */
  async settle(): Promise<void> {
    if (!this.begun) await this.advance();
    const { size } = this.frontier;
    if (this.next?.size !== size) return;
    const { root } = this.frontier;
    for (let claim: RootClaim | undefined = this.next; claim?.size === size; claim = await this.advance()) {
      if (!claim.root.equals(root))
        this.add(`the first ${size} entries are not those that ${claim.by} signs`, size);
    }
  }

  async end(): Promise<void> {
    for (let claim = this.next; claim !== undefined; claim = await this.advance())
      this.add(
        `${claim.by} signs ${claim.size} entries, of which ${this.frontier.size} are here`,
        claim.size,
      );
  }

  /** A damage is a finding, not an end of the verification. */
  async orDamage<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof LogDamagedError)) throw error;
      this.add(error.what);
      return undefined;
    }
  }

  missesPrefix(entries: number): void {
    this.add(
      `its first ${entries} entries are missing, and no retention that is in the log has dropped them`,
      0,
    );
  }

  private add(problem: string, index?: number): void {
    this.violations.push({ origin: this.log.origin, ...(index === undefined ? {} : { index }), problem });
  }

  private async advance(): Promise<RootClaim | undefined> {
    this.begun = true;
    const { value, done } = await this.claims.next();
    this.next = done ? undefined : value;
    return this.next;
  }

  private keep(level: number, digest: Digest): void {
    const ofLevel = this.upper[level] ?? [];
    ofLevel.push(digest);
    this.upper[level] = ofLevel;
  }
}

async function* inOrder(claims: Claims): AsyncGenerator<RootClaim, undefined> {
  yield* claims;
  return undefined;
}
