import { PLATFORM_SCOPE } from '../scope';
import type { ProcessSample } from '../store/report-process';
import type { SignalRule } from '../types';
import type { SignalSource } from './signal-sources';

/** So often in an interval what can only be seen at a moment is looked at. */
const LOOKS_PER_INTERVAL = 5;

/** What can only be seen at a moment: looked at several times an interval, of which the worst is told. */
export class Gauges {
  private worst = new Map<string, ProcessSample>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  /** @param worseOf which way a signal gets worse. */
  constructor(
    private readonly sources: readonly SignalSource[],
    private readonly worseOf: (signal: string) => SignalRule['worse'],
    private readonly onError: (error: unknown) => void,
  ) {}

  start(intervalMs: number): void {
    if (this.sources.length === 0) return;
    this.timer = setInterval(() => void this.look(), intervalMs / LOOKS_PER_INTERVAL);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** One look; resolves when every source has answered. One that is still under way is not begun anew. */
  look(): Promise<void> {
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** The worst of each signal since it was last taken. */
  take(): ProcessSample[] {
    const taken = [...this.worst.values()];
    this.worst = new Map();
    return taken;
  }

  private async lookOnce(): Promise<void> {
    await Promise.all(
      this.sources.map(async (source) => {
        try {
          for (const sample of await source()) this.note(sample);
        } catch (error) {
          this.onError(error);
        }
      }),
    );
  }

  private note(sample: ProcessSample): void {
    const key = JSON.stringify([sample.scope ?? PLATFORM_SCOPE, sample.signal]);
    const known = this.worst.get(key);
    const isWorse =
      known === undefined ||
      (this.worseOf(sample.signal) === 'higher' ? sample.value > known.value : sample.value < known.value);
    if (isWorse) this.worst.set(key, sample);
  }
}
