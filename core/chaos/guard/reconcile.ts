import type { ChaosHost } from '../host';
import {
  type EndReason,
  type FaultLease,
  hostTime,
  type LeaseStore,
  leaseId,
  type StoredLease,
} from '../lease';

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
    // An ID becomes a directory's name: what is none was not written by us.
    if (!leaseId.safeParse(stored.id).success) continue;
    // One that cannot be read must not keep the others from being aborted.
    await compare(host, store, stored, end).catch((error: unknown) =>
      host.log.warn({ lease: stored.id, err: error }, 'a lease could not be compared with the control plane'),
    );
  }
}

async function compare(
  host: ChaosHost,
  store: LeaseStore,
  stored: StoredLease,
  end: (lease: FaultLease, reason: EndReason) => void,
): Promise<void> {
  const lease = await host.journal.find(stored.id);
  if (lease !== undefined) {
    if (stored.abortRequested) end(lease, 'aborted');
    return;
  }
  const ended = await host.journal.ended(stored.id);
  if (ended !== undefined) await store.close(stored.id, ended.by, ended.reason);
  else if (stored.overdue) await adopt(host, stored);
}

/** Closes in the control plane what has ended here; whoever ended it may have died before it said so. */
export async function closeEnded(host: ChaosHost, store: LeaseStore): Promise<void> {
  for (const { id } of await store.active(host.host)) {
    if (!leaseId.safeParse(id).success) continue;
    const ended = await host.journal.ended(id);
    if (ended !== undefined) await store.close(id, ended.by, ended.reason);
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
