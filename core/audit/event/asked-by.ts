import { AsyncLocalStorage } from 'node:async_hooks';
import type { AuditEvent } from './audit-event';

/** On whose behalf something is done, as events have it: the workflow, and which run of it. Both undefined for nobody's. */
export type AskedBy = Pick<AuditEvent, 'request' | 'run'>;

const NOBODY: AskedBy = { request: undefined, run: undefined };

/** Only whoever runs activities enters it, so that no other process pays for it. */
const asking = new AsyncLocalStorage<AskedBy>();

/** Does `work` on behalf of a run: every event that is made up in it may name that by {@link askedBy}. */
export function onBehalfOf<T>(given: AskedBy, work: () => T): T {
  return asking.run(given, work);
}

/**
 * The run on whose behalf the caller is working. To be asked where an event is made up: what a batch writes later is on behalf
 * of many, and would name the first of them.
 */
export function askedBy(): AskedBy {
  return asking.getStore() ?? NOBODY;
}
