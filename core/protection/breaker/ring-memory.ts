/**
 * Memory for the windows of many breakers: typed arrays that hold many rings each, because an array of its own costs a
 * window of 100 bytes another 250. A ring that is given back is used again.
 */
export class RingMemory<Cells extends Uint8Array | Uint32Array> {
  private readonly chunks: Cells[] = [];
  private readonly free: number[] = [];
  private used = 0;

  constructor(
    private readonly make: (length: number) => Cells,
    /** Cells of one ring. */
    readonly cells: number,
    private readonly ringsPerChunk: number,
  ) {}

  /** Number of a ring whose cells are 0. */
  take(): number {
    const again = this.free.pop();
    if (again !== undefined) {
      this.cellsOf(again).fill(0, this.offsetOf(again), this.offsetOf(again) + this.cells);
      return again;
    }
    if (this.used === this.chunks.length * this.ringsPerChunk) {
      this.chunks.push(this.make(this.cells * this.ringsPerChunk));
    }
    this.used += 1;
    return this.used - 1;
  }

  give(ring: number): void {
    this.free.push(ring);
  }

  /** The array that holds the ring, from `offsetOf(ring)` on. */
  cellsOf(ring: number): Cells {
    const chunk = this.chunks[Math.floor(ring / this.ringsPerChunk)];
    if (chunk === undefined) throw new RangeError(`there is no ring ${ring}`);
    return chunk;
  }

  offsetOf(ring: number): number {
    return (ring % this.ringsPerChunk) * this.cells;
  }
}
