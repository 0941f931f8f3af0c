import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, messageOf } from '../errors';
import { FaultRemainsError } from './errors';
import { type ChaosHost, resolveFault } from './host';
import { type EndReason, type FaultLease, hostTime, killProcess } from './lease';

export interface EndOptions {
  readonly by: string;
  readonly reason: EndReason;
  /** After this the caller hears that it is still there; the guards go on. Default 20 s. */
  readonly limitMs?: number;
}

/** One inverse and one look at most; Toxiproxy's restart is among what has to fit. */
const ATTEMPT_MS = 8_000;
const FIRST_PAUSE_MS = 100;
/** What was away, such as a server that is started again, must not stand under its fault for long once it is back. */
const LONGEST_PAUSE_MS = 500;
/** What was on its way when the injector died has arrived after this. */
const SECOND_LOOK_MS = 50;

/**
 * Ends a fault and proves it: nobody injects it any more, the inverse has run, and two looks do not find it. May be called by
 * several processes at once, at any moment of the fault's life, and again.
 *
 * @throws FaultRemainsError when it is still there at the limit; the lease stays open then.
 */
export async function endFault(host: ChaosHost, lease: FaultLease, options: EndOptions): Promise<void> {
  const { journal } = host;
  await stopInjector(host, lease);
  const limit = performance.now() + (options.limitMs ?? 20_000);
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    const remains = await attempt(host, lease);
    if (remains === undefined) break;
    await journal.noteFailure(lease.id, remains.reason);
    if (performance.now() + pause > limit)
      throw new FaultRemainsError(lease.id, lease.driver, remains.reason, remains.cause);
    host.log.warn(
      { lease: lease.id, driver: lease.driver, reason: remains.reason },
      'a fault is still there',
    );
    await sleep(pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  }
  await journal.close(lease.id, options.by, options.reason);
  host.log.info({ lease: lease.id, driver: lease.driver, ...options }, 'a fault has ended');
  // The guards bring this up to date when the control plane is away.
  await host.store?.close(lease.id, options.by, options.reason).catch(() => undefined);
}

/** First the mark, then the look who injects: an injector registers first and then looks for the mark, so one sees the other. */
async function stopInjector({ journal }: ChaosHost, lease: FaultLease): Promise<void> {
  await journal.mark(lease.id, 'ending').catch((error: unknown) => {
    // Then nobody can have registered either.
    if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error;
  });
  const injector = await journal.driver(lease.id);
  if (injector === undefined || injector.pid === process.pid) return;
  if (!(await killProcess(injector)))
    throw new FaultRemainsError(
      lease.id,
      lease.driver,
      `process ${injector.pid}, which injects it, does not die`,
    );
}

async function attempt(
  host: ChaosHost,
  lease: FaultLease,
): Promise<{ readonly reason: string; readonly cause?: unknown } | undefined> {
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
