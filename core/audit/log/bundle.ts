import { type Digest, leafDigest, leafDigestWithin } from '../merkle';

/** Up to 256 entries that follow each other. */
export interface Bundle {
  readonly entries: readonly Buffer[];
  /** The hashes of their leaves. */
  readonly digests: readonly Digest[];
  /** Whether an entry may begin with these bytes: most bundles are told without looking at each. */
  mayHave(beginning: Buffer): boolean;
}

/** Entries that came one by one, as from a database. */
export class ListedBundle implements Bundle {
  constructor(readonly entries: readonly Buffer[]) {}

  get digests(): readonly Digest[] {
    return this.entries.map(leafDigest);
  }

  mayHave(): boolean {
    return true;
  }
}

const LENGTH_BYTES = 2;

/**
 * Entries as C2SP tlog-tiles has them in a file, each behind its length in two bytes. They are hashed where they lie, and no object is
 * made for an entry that nobody asks for.
 */
export class PackedBundle implements Bundle {
  private constructor(
    private readonly bytes: Buffer,
    /** Where entries end. */
    private readonly ends: readonly number[],
  ) {}

  /** @returns undefined when the last entry is cut short */
  static parse(bytes: Buffer): PackedBundle | undefined {
    const ends: number[] = [];
    for (let at = 0; at < bytes.length; ) {
      if (at + LENGTH_BYTES > bytes.length) return undefined;
      at += LENGTH_BYTES + bytes.readUInt16BE(at);
      if (at > bytes.length) return undefined;
      ends.push(at);
    }
    return new PackedBundle(bytes, ends);
  }

  get length(): number {
    return this.ends.length;
  }

  get entries(): readonly Buffer[] {
    return this.ends.map((end, i) => this.bytes.subarray(this.startOf(i), end));
  }

  get digests(): readonly Digest[] {
    return this.ends.map((end, i) => leafDigestWithin(this.bytes, this.startOf(i), end));
  }

  mayHave(beginning: Buffer): boolean {
    return this.bytes.includes(beginning);
  }

  private startOf(i: number): number {
    return (this.ends[i - 1] ?? 0) + LENGTH_BYTES;
  }
}
