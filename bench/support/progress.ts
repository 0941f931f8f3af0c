/** Everything longer than this says what is going on. */
const QUIET_MS = 2_000;
const REPEAT_MS = 15_000;

/** What a benchmark is doing, on standard error: standard output belongs to the table and the result. */
export class Progress {
  private readonly began = performance.now();

  line(text: string): void {
    const seconds = ((performance.now() - this.began) / 1_000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${text}\n`);
  }

  /** Runs `work`; when it takes longer than two seconds it is announced, then reported with its time. */
  async during<T>(text: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const timers: NodeJS.Timeout[] = [];
    timers.push(
      setTimeout(() => {
        this.line(`${text} …`);
        timers.push(setInterval(() => this.line(`${text}, still`), REPEAT_MS));
      }, QUIET_MS),
    );
    try {
      const result = await work();
      const ms = performance.now() - started;
      if (ms > QUIET_MS) this.line(`${text}: ${(ms / 1_000).toFixed(1)} s`);
      return result;
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
  }
}
