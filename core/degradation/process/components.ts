import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors';
import type { Level } from '../types';

/**
 * What has to be told of a level because it does not ask: a cache that is to be filled, a schedule that is to come less often.
 * Called with the level of the whole platform, also with the one in force at the start, and again after it threw: it takes the same level twice.
 */
export type ApplyComponent = (level: Level) => void | Promise<void>;

/** A component that takes longer counts as failed; it is asked again. */
const LIMIT_MS = 5_000;

/** Tells every component. @returns component → why it could not take the level; empty when all have. */
export async function applyComponents(
  components: Readonly<Record<string, ApplyComponent>>,
  level: Level,
): Promise<Readonly<Record<string, string>>> {
  const results = await Promise.all(
    Object.entries(components).map(async ([name, apply]) => [name, await failureOf(apply, level)] as const),
  );
  return Object.fromEntries(results.flatMap(([name, why]) => (why === undefined ? [] : [[name, why]])));
}

async function failureOf(apply: ApplyComponent, level: Level): Promise<string | undefined> {
  const limit = new AbortController();
  const tooLong = sleep(LIMIT_MS, `no answer within ${LIMIT_MS} ms`, { signal: limit.signal });
  // Left behind when the component is faster.
  tooLong.catch(() => undefined);
  try {
    return await Promise.race([(async () => apply(level))().then(() => undefined), tooLong]);
  } catch (error) {
    return messageOf(error).slice(0, 200);
  } finally {
    limit.abort();
  }
}
