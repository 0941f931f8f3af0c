import type { CallWindow } from './call-window';
import type { RingMemory } from './ring-memory';

const NONE = -1;
const FAILED = 1;
const SLOW = 2;

/**
 * The last so many calls, one byte each. As long as none of them failed or was slow they are all alike: then their
 * number says everything, and the window has no memory.
 */
export class CountWindow implements CallWindow {
  calls = 0;
  failed = 0;
  slow = 0;
  private ring = NONE;
  /** Of the oldest call when the window is full, else of the next one. */
  private position = 0;

  constructor(private readonly memory: RingMemory<Uint8Array>) {}

  record(failed: boolean, slow: boolean): void {
    const call = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    if (call === 0 && this.ring === NONE) {
      if (this.calls < this.memory.cells) this.calls += 1;
      return;
    }
    this.push(call);
    if (this.failed === 0 && this.slow === 0) this.giveBack();
  }

  advance(): void {
    // Only calls push calls out.
  }

  clear(): void {
    this.calls = 0;
    this.failed = 0;
    this.slow = 0;
    this.giveBack();
  }

  private push(call: number): void {
    const size = this.memory.cells;
    if (this.ring === NONE) {
      this.ring = this.memory.take();
      this.position = this.calls % size;
    }
    const cells = this.memory.cellsOf(this.ring);
    const cell = this.memory.offsetOf(this.ring) + this.position;
    if (this.calls === size) this.count(cells[cell] ?? 0, -1);
    else this.calls += 1;
    cells[cell] = call;
    this.count(call, 1);
    this.position = (this.position + 1) % size;
  }

  private count(call: number, by: 1 | -1): void {
    if ((call & FAILED) !== 0) this.failed += by;
    if ((call & SLOW) !== 0) this.slow += by;
  }

  private giveBack(): void {
    if (this.ring !== NONE) this.memory.give(this.ring);
    this.ring = NONE;
  }
}
