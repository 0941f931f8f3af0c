import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors';
import { endFault } from './end-fault';
import { type ChaosHost, resolveFault } from './host';
import { type FaultLease, hostTime, overBecause, refOf } from './lease';

/** An injection that takes longer is given up and taken back. */
const INJECTION_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 200;
/** The guards come first; this process is the last one that is there if they are not. */
const AFTER_GUARDS_MS = 800;

/**
 * The life of a fault's own process: it injects, holds what has to be held, and stays as a watchdog until the lease has ended.
 * It does nothing unless it is registered and the lease holds, so that whoever ends the fault can first end this process.
 */
export async function runFault(host: ChaosHost, id: string): Promise<void> {
  const { journal, log } = host;
  const self = await refOf(process.pid);
  if (self === undefined || !(await journal.registerDriver(id, self))) return;
  const lease = await journal.find(id);
  if (lease === undefined || (await journal.isMarked(id, 'ending'))) return;
  if (overBecause(lease, await journal.renewedMs(id), hostTime()) !== undefined) return;
  try {
    await inject(host, lease);
    await journal.mark(id, 'injected');
  } catch (error) {
    log.warn({ lease: id, err: error }, 'not injected');
    await journal.noteFailure(id, messageOf(error));
    await endFault(host, lease, { by: 'driver', reason: 'not-injected' });
    return;
  }
  await watch(host, lease);
}

async function inject(host: ChaosHost, lease: FaultLease): Promise<void> {
  const { driver, target, parameters } = resolveFault(host, lease);
  const remainingMs = Math.max(1, lease.deadlineMs - hostTime().uptimeMs);
  const signal = AbortSignal.timeout(Math.min(INJECTION_LIMIT_MS, remainingMs));
  await driver.inject({
    leaseId: lease.id,
    ...{ target, parameters, saved: lease.saved, remainingMs, signal },
  });
}

async function watch(host: ChaosHost, lease: FaultLease): Promise<void> {
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    if ((await host.journal.find(lease.id)) === undefined) return;
    const { bootId, uptimeMs } = hostTime();
    const guardsHadTheirTime = { bootId, uptimeMs: uptimeMs - AFTER_GUARDS_MS };
    const reason = overBecause(lease, await host.journal.renewedMs(lease.id), guardsHadTheirTime);
    if (reason !== undefined) await endFault(host, lease, { by: 'driver', reason }).catch(() => undefined);
  }
}
