import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors';
import { type ChaosHost, resolveFault } from './host';
import { type FaultLease, hostTime } from './lease';

/** Why a fault is, or may be, still there. */
export interface Remains {
  readonly reason: string;
  readonly cause?: unknown;
}

/** One inverse and one look at most; Toxiproxy's restart is among what has to fit. */
const ATTEMPT_MS = 8_000;
/** A driver that listens to its signal has ended by then; a call into a file system that hangs knows none. */
const GIVEN_UP_AFTER_MS = ATTEMPT_MS + 1_000;
/** What was on its way when the injector died has arrived after this. */
const SECOND_LOOK_MS = 50;

/** By journal and lease: attempts that have come to no end. */
const underWay = new Map<string, Promise<Remains | undefined>>();

/**
 * Runs the inverse and looks twice. It always comes back within nine seconds, whatever the target does: the caller says that the
 * fault is still there, and tries again. An attempt that hangs is joined by the next one instead of repeated beside it, since
 * each holds one of this process's threads for file systems.
 *
 * @returns undefined when the fault is proved to be gone
 */
export async function attemptEnd(host: ChaosHost, lease: FaultLease): Promise<Remains | undefined> {
  const key = `${host.journal.directory} ${lease.id}`;
  let running = underWay.get(key);
  if (running === undefined) {
    running = attempt(host, lease).finally(() => underWay.delete(key));
    underWay.set(key, running);
  }
  const limit = new AbortController();
  const givenUp = sleep<Remains>(
    GIVEN_UP_AFTER_MS,
    { reason: `neither its inverse nor its probe has come to an end within ${GIVEN_UP_AFTER_MS} ms` },
    { signal: limit.signal },
  );
  // Aborted below, when nobody waits for it any more.
  givenUp.catch(() => undefined);
  try {
    return await Promise.race([running, givenUp]);
  } finally {
    limit.abort();
  }
}

async function attempt(host: ChaosHost, lease: FaultLease): Promise<Remains | undefined> {
  try {
    const { driver, target, parameters } = resolveFault(host, lease);
    const now = hostTime();
    const call = {
      leaseId: lease.id,
      ...{ target, parameters, saved: lease.saved },
      signal: AbortSignal.timeout(ATTEMPT_MS),
      pastDeadline: lease.bootId !== now.bootId || now.uptimeMs > lease.deadlineMs,
    };
    await driver.remove(call);
    if (await driver.isThere(call)) return { reason: 'the inverse ran, and the probe still finds it' };
    await sleep(SECOND_LOOK_MS);
    return (await driver.isThere(call)) ? { reason: 'it came back after the inverse' } : undefined;
  } catch (cause) {
    return { reason: messageOf(cause), cause };
  }
}
