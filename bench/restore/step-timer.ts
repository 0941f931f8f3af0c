/** One restore by one side. */
export interface SideResult {
  readonly totalMs: number;
  readonly steps: readonly Step[];
  /** What the longest step says about itself. */
  readonly inside?: { readonly step: string; readonly parts: readonly Step[] };
}

export interface Step {
  readonly name: string;
  readonly ms: number;
}

/** Times steps that follow each other; the total is from the first step's start to the last one's end. */
export class StepTimer {
  private readonly started = performance.now();
  private readonly steps: Step[] = [];

  async step(name: string, work: () => Promise<unknown>): Promise<void> {
    const started = performance.now();
    await work();
    this.steps.push({ name, ms: performance.now() - started });
  }

  result(): SideResult {
    return { totalMs: performance.now() - this.started, steps: this.steps };
  }
}
