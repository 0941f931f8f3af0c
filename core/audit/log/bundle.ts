import { type Digest, leafDigestWithin } from '../merkle';

/** Up to 256 entries that follow each other. */
export interface Bundle {
  /** As a file of an export has them. */
  readonly bytes: Buffer;
  readonly entries: readonly Buffer[];
  /** The hashes of their leaves. */
  readonly digests: readonly Digest[];
  /** Whether an entry may begin with these bytes: most bundles are told without looking at each. */
  mayHave(beginning: Buffer): boolean;
}

const LENGTH_BYTES = 2;

/** Each entry behind its length in two bytes. Source: C2SP tlog-tiles, "Log entries". */
export function packEntries(entries: readonly Buffer[]): Buffer {
  const packed = Buffer.allocUnsafe(entries.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const entry of entries) {
    at = packed.writeUInt16BE(entry.length, at);
    at += entry.copy(packed, at);
  }
  return packed;
}

/**
 * Entries as C2SP tlog-tiles has them, in a file or in the database. They are hashed where they lie, and no object is made for an entry
 * that nobody asks for.
 */
export class PackedBundle implements Bundle {
  private constructor(
    readonly bytes: Buffer,
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
