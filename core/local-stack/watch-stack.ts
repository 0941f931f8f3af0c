import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors';
import type { StackPart } from './part';
import type { Stack } from './stack';
import type { OnStackEvent } from './stack-event';
import { startPart } from './start-stack';

const INTERVAL_MS = 1_000;
/** A part that keeps ending is broken: more starts would only bury the reason. */
const RESTARTS_PER_PART = 5;

/**
 * Keeps a started stack alive until the signal: a part that was killed is started again, so that running workflows go
 * on by themselves. The end of a fault may start it at the same moment; core/cluster sees to it that one of them does.
 */
export async function watchStack(
  stack: Pick<Stack, 'steps'>,
  onEvent: OnStackEvent,
  signal: AbortSignal,
): Promise<void> {
  const restarts = new Map<string, number>();
  // The repository has no process; its archive is the application's server's.
  const parts = stack.steps.flat().filter(({ name }) => name !== 'backup-repository');
  while (!signal.aborted) {
    await sleep(INTERVAL_MS, undefined, { signal }).catch(ignoreAbort(signal));
    for (const part of parts) {
      if (signal.aborted) return;
      await mend(part, restarts, onEvent, signal);
    }
  }
}

async function mend(
  part: StackPart,
  restarts: Map<string, number>,
  onEvent: OnStackEvent,
  signal: AbortSignal,
): Promise<void> {
  const status = await part.status();
  const count = restarts.get(part.name) ?? 0;
  if (status.kind === 'running' || count > RESTARTS_PER_PART) return;
  restarts.set(part.name, count + 1);
  if (count === RESTARTS_PER_PART) {
    onEvent({ kind: 'lost', part: part.name, reason: `it ended ${count} times; it is left alone now` });
    return;
  }
  onEvent({ kind: 'lost', part: part.name, reason: status.reason ?? 'it ended' });
  try {
    await startPart(part, onEvent, signal);
  } catch (error) {
    if (signal.aborted) return;
    onEvent({ kind: 'lost', part: part.name, reason: messageOf(error) });
  }
}

function ignoreAbort(signal: AbortSignal) {
  return (error: unknown) => {
    if (!signal.aborted) throw error;
  };
}
