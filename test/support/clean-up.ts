import { messageOf } from '../../core/errors';

/**
 * What a fixture has to undo, in reverse order. All of it runs even when one step fails; the failures are thrown
 * together at the end, so that a server left behind is never silent.
 */
export class CleanUp {
  private readonly steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.steps.push(step);
  }

  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.steps.splice(0).reverse()) await step().catch((error) => failures.push(error));
    if (failures.length > 0)
      throw new AggregateError(failures, `clean-up failed: ${failures.map(messageOf).join('; ')}`);
  }
}

/** Builds a fixture; when a step fails, what was built is undone before the error goes on. */
export async function building<T>(steps: (cleanUp: CleanUp) => Promise<T>): Promise<T> {
  const cleanUp = new CleanUp();
  try {
    return await steps(cleanUp);
  } catch (error) {
    await cleanUp.run();
    throw error;
  }
}
