import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors';
import { endFault } from './end-fault';
import { type ChaosPrograms, GUARDS, isGuardAlive, keepGuard } from './guard';
import { type ChaosHost, resolveFault } from './host';
import { type FaultLease, hostTime, overBecause, refOf } from './lease';

/** An injection that takes longer is given up and taken back. */
const INJECTION_LIMIT_MS = 10_000;
const LOOK_EVERY_MS = 200;
/** Living guards come first: several would only do the same work. Without them this process is the last one that is there. */
const AFTER_GUARDS_MS = 800;

/**
 * The life of a fault's own process: it injects, holds what has to be held, and stays as a watchdog until the lease has ended.
 * It does nothing unless it is registered and the lease holds, so that whoever ends the fault can first end this process.
 */
export async function runFault(host: ChaosHost, programs: ChaosPrograms, id: string): Promise<void> {
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
  await watch(host, programs, lease);
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

async function watch(host: ChaosHost, programs: ChaosPrograms, lease: FaultLease): Promise<void> {
  const { directory } = host.journal;
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    // Its file may have been damaged meanwhile: then nobody but this process knows what it says.
    if (!(await host.journal.isOpen(lease.id))) return;
    const alive = await Promise.all(GUARDS.map((name) => isGuardAlive(directory, name)));
    // Both may have died at once, and then neither can start the other.
    if (!alive.includes(true)) startGuards(host, programs);
    const { bootId, uptimeMs } = hostTime();
    const now = { bootId, uptimeMs: uptimeMs - (alive.includes(true) ? AFTER_GUARDS_MS : 0) };
    const reason = overBecause(lease, await host.journal.renewedMs(lease.id), now);
    if (reason !== undefined) await endFault(host, lease, { by: 'driver', reason }).catch(() => undefined);
  }
}

/** Not waited for: the lease may be over. */
function startGuards({ journal, log }: ChaosHost, programs: ChaosPrograms): void {
  for (const name of GUARDS)
    keepGuard(journal.directory, programs, name).catch((error: unknown) =>
      log.error({ err: error }, `guard ${name} cannot be started`),
    );
}
