import type { PartName, StackPart } from './part';
import type { OnStackEvent } from './stack-event';

/** Stops the parts in reverse order of their start; all are tried, the first failure is thrown at the end. */
export async function stopParts(
  steps: readonly (readonly StackPart[])[],
  onEvent: OnStackEvent,
  only?: readonly PartName[],
): Promise<void> {
  const failures: unknown[] = [];
  for (const step of [...steps].reverse()) {
    const parts = step.filter(({ name }) => only?.includes(name) ?? true);
    await Promise.all(
      parts.map(async (part) => {
        try {
          const before = await part.status();
          await part.stop();
          if (before.kind === 'running' && before.pid !== undefined)
            onEvent({ kind: 'stopped', part: part.name });
        } catch (error) {
          failures.push(error);
        }
      }),
    );
  }
  if (failures.length > 0) throw failures[0];
}
