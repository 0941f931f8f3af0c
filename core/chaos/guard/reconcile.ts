import type { ChaosHost } from '../host';
import { type EndReason, type FaultLease, hostTime, type LeaseStore, type StoredLease } from '../lease';

/**
 * Brings the control plane's leases of this host and the journal together: what has ended here is closed there, what somebody
 * wants aborted is ended, and a lease whose journal was lost is ended by what the drivers know without it.
 */
export async function reconcile(
  host: ChaosHost,
  store: LeaseStore,
  end: (lease: FaultLease, reason: EndReason) => void,
): Promise<void> {
  for (const stored of await store.active(host.host)) {
    const lease = await host.journal.find(stored.id);
    if (lease !== undefined) {
      if (stored.abortRequested) end(lease, 'aborted');
      continue;
    }
    const ended = await host.journal.ended(stored.id);
    if (ended !== undefined) await store.close(stored.id, ended.by, ended.reason);
    else if (stored.overdue) await adopt(host, stored);
  }
}

/**
 * The journal of this host does not know it: its disk was lost, or the row was never this host's. It becomes a lease that is
 * over, without anything saved, and is ended like every other: by an allowed driver at an allowed target, or not at all.
 */
async function adopt(host: ChaosHost, stored: StoredLease): Promise<void> {
  const { bootId, uptimeMs } = hostTime();
  host.log.warn(
    { lease: stored.id, driver: stored.driver },
    'a lease that the journal does not know is ended',
  );
  await host.journal.open({
    version: 1,
    id: stored.id,
    experiment: stored.experiment,
    driver: stored.driver,
    target: stored.target,
    parameters: { ...stored.parameters },
    host: host.host,
    bootId,
    createdMs: uptimeMs,
    deadlineMs: uptimeMs,
    termMs: 1,
    until: stored.deadline,
  });
}
