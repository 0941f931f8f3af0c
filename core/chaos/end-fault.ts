import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../errors';
import { attemptEnd } from './attempt-end';
import { FaultRemainsError } from './errors';
import type { ChaosHost } from './host';
import { type EndReason, type FaultLease, killProcess } from './lease';

export interface EndOptions {
  readonly by: string;
  readonly reason: EndReason;
  /** After this the caller hears that it is still there; the guards go on. Default 20 s. */
  readonly limitMs?: number;
}

const FIRST_PAUSE_MS = 100;
/** What was away, such as a server that is started again, must not stand under its fault for long once it is back. */
const LONGEST_PAUSE_MS = 500;

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
    const remains = await attemptEnd(host, lease);
    if (remains === undefined) break;
    await journal.noteFailure(lease.id, remains.reason);
    // Somebody else has proved its end meanwhile.
    if (!(await journal.isOpen(lease.id))) return;
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
  if (!(await journal.isMarked(lease.id, 'ending')))
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
