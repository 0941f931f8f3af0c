import { makeServerDirectory } from '../cluster';
import type { StackPart } from './part';
import type { Stack } from './stack';
import type { OnStackEvent } from './stack-event';
import { stopParts } from './stop-parts';

/** Who reads the configuration when it starts. */
const CONFIGURED = ['worker', 'control', 'second-worker', 'sealer', 'office', 'tax'] as const;

/**
 * Starts what does not run yet. When a part fails, or on abort, the whole stack is stopped again before the error goes
 * on: half a stack helps nobody.
 */
export async function startStack(stack: Stack, onEvent: OnStackEvent, signal?: AbortSignal): Promise<void> {
  try {
    await makeServerDirectory(stack.layout.scratch);
    if ((await stack.writeConfig()) === 'changed') await stopParts(stack.steps, onEvent, CONFIGURED);
    for (const step of stack.steps) {
      // All of a step are waited for, so that nothing is still starting while the others are being stopped.
      const results = await Promise.allSettled(step.map((part) => startPart(part, onEvent, signal)));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    }
  } catch (error) {
    await stopParts(stack.steps, onEvent);
    throw error;
  }
}

export async function startPart(part: StackPart, onEvent: OnStackEvent, signal?: AbortSignal): Promise<void> {
  const begin = Date.now();
  await part.start({
    signal,
    progress: (text) => onEvent({ kind: 'progress', part: part.name, text }),
  });
  const status = await part.status();
  onEvent({
    kind: 'started',
    part: part.name,
    ms: Date.now() - begin,
    where: status.kind === 'running' ? status.where : '',
  });
}
