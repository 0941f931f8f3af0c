import { setTimeout as sleep } from 'node:timers/promises';

const TICK_MS = 50;

/** A process that is late by so much has stood still, with its machine or for want of a processor. */
const STOOD_STILL_MS = 500;

/** The time in which this process ran: what its own timer shows. */
export class RunningClock {
  private last = performance.now();
  private ranMs = 0;
  private stops = 0;
  private readonly timer = setInterval(() => this.tick(), TICK_MS);

  /** How often this process has stood still so far: what began before the last time and ends now was held up by it. */
  stopsSoFar(): number {
    this.tick();
    return this.stops;
  }

  /** Waits until this process has run for so long. */
  async run(ms: number): Promise<void> {
    this.tick();
    for (const end = this.ranMs + ms; this.ranMs < end; this.tick()) await sleep(TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = performance.now();
    const passed = now - this.last;
    this.last = now;
    this.ranMs += Math.min(passed, 2 * TICK_MS);
    if (passed >= STOOD_STILL_MS) this.stops += 1;
  }
}
