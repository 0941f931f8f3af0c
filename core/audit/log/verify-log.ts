import { EMPTY_ROOT, Frontier, leafHash, TILE_HEIGHT, TILE_WIDTH, tilesOf, tilesOfLevel } from '../merkle';
import { LogDamagedError } from './log-damaged-error';
import type { LogReader } from './log-reader';

/** What the tree had to be at a size, and who says so. */
export interface RootClaim {
  readonly size: number;
  readonly root: Buffer;
  /** Such as `its checkpoint`. */
  readonly by: string;
}

export interface Violation {
  readonly origin: string;
  /** The entry or the size that is concerned, where it can be told. */
  readonly index?: number;
  readonly problem: string;
}

export interface VerifyHooks {
  /** Sees the entries of each bundle, in their order. */
  readonly entries?: (first: number, entries: readonly Buffer[]) => void | Promise<void>;
  /** Told after each bundle how many entries were read. */
  readonly progress?: (entries: number) => void;
}

/**
 * Computes the whole tree anew from the entries and compares it with every claim about it and with the tiles that are kept.
 * Streams: a bundle at a time is in memory, and a hash for each of them.
 */
export async function verifyLog(
  log: LogReader,
  claims: readonly RootClaim[],
  hooks: VerifyHooks = {},
): Promise<Violation[]> {
  const check = new TreeCheck(log, claims);
  for (const { index, width } of tilesOfLevel(0, log.size)) {
    const entries = await orDamage(check, () => log.bundle(index, width));
    // Without the entries nothing behind them can be computed.
    if (entries === undefined) return check.violations;
    const hashes = entries.map(leafHash);
    check.append(hashes);
    if (log.keepsLeafHashes) await check.compareTile(0, index, hashes);
    await hooks.entries?.(index * TILE_WIDTH, entries);
    hooks.progress?.(index * TILE_WIDTH + width);
  }
  for (const { level, index, width } of tilesOf(log.size)) {
    if (level > 0) await check.compareTile(level, index, check.computed(level, index, width));
  }
  check.end();
  return check.violations;
}

class TreeCheck {
  readonly violations: Violation[] = [];
  private frontier = Frontier.empty;
  private readonly open: RootClaim[];
  /** Roots of full tiles, by the level of the tile that they are a hash of. */
  private readonly upper: Buffer[][] = [];

  constructor(
    private readonly log: LogReader,
    claims: readonly RootClaim[],
  ) {
    this.open = [...claims].sort((a, b) => b.size - a.size);
    this.settle(EMPTY_ROOT);
  }

  /** Roots are computed only at the sizes that somebody signs. */
  append(hashes: readonly Buffer[]): void {
    let rest = hashes;
    while (rest.length > 0) {
      const next = this.open.at(-1)?.size ?? Number.POSITIVE_INFINITY;
      const part = rest.slice(0, next - this.frontier.size);
      rest = rest.slice(part.length);
      this.frontier = this.frontier.append(part, ({ level, hash }) => {
        if (level > 0 && level % TILE_HEIGHT === 0) this.keep(level / TILE_HEIGHT, hash);
      });
      if (this.frontier.size === next) this.settle(this.frontier.root);
    }
  }

  computed(level: number, index: number, width: number): Buffer[] {
    return (this.upper[level] ?? []).slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
  }

  async compareTile(level: number, index: number, computed: readonly Buffer[]): Promise<void> {
    const kept = await orDamage(this, () => this.log.tile(level, index, computed.length));
    if (kept === undefined) return;
    const at = computed.findIndex((hash, i) => !kept[i]?.equals(hash));
    if (at < 0) return;
    const entry = (index * TILE_WIDTH + at) * TILE_WIDTH ** level;
    const last = entry + TILE_WIDTH ** level - 1;
    const what = level === 0 ? `entry ${entry} is` : `entries ${entry} to ${last} are`;
    this.add(`${what} not what the hash in tile ${level} was made of`, entry);
  }

  end(): void {
    for (const claim of this.open.reverse())
      this.add(
        `${claim.by} signs ${claim.size} entries, of which ${this.frontier.size} are here`,
        claim.size,
      );
  }

  add(problem: string, index?: number): void {
    this.violations.push({ origin: this.log.origin, ...(index === undefined ? {} : { index }), problem });
  }

  private settle(root: Buffer): void {
    const { size } = this.frontier;
    while (this.open.at(-1)?.size === size) {
      const claim = this.open.pop();
      if (claim !== undefined && !claim.root.equals(root))
        this.add(`the first ${size} entries are not those that ${claim.by} signs`, size);
    }
  }

  private keep(level: number, hash: Buffer): void {
    const ofLevel = this.upper[level] ?? [];
    ofLevel.push(hash);
    this.upper[level] = ofLevel;
  }
}

/** A damage is a finding, not an end of the verification. */
async function orDamage<T>(check: TreeCheck, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof LogDamagedError)) throw error;
    check.add(error.what);
    return undefined;
  }
}
