import { METRIC, sharedMetrics } from '../metrics';
import { repeat } from '../repeat';
import { endsAtMs, hostTime, type LeaseJournal } from './lease';

/** A fault whose lease has been over for longer is residual; until then it is being ended. */
const GRACE_MS = 2_000;

export interface FaultCount {
  readonly active: number;
  /** Over, and still not proved to be gone. Has to be 0. */
  readonly residual: number;
}

export async function countFaults(journal: LeaseJournal): Promise<FaultCount> {
  const { leases, unreadable } = await journal.all();
  const { bootId, uptimeMs } = hostTime();
  let residual = unreadable.length;
  for (const lease of leases) {
    const end = endsAtMs(lease, await journal.renewedMs(lease.id));
    if (lease.bootId !== bootId || uptimeMs > end + GRACE_MS) residual += 1;
  }
  return { active: leases.length, residual };
}

const LOOK_EVERY_MS = 1_000;

/** Shows both counts in `/metrics` of this process. @returns how to stop it. */
export function watchFaults(journal: LeaseJournal): () => void {
  // Until the first look nobody may read that there is none.
  let seen: FaultCount | undefined;
  const look = async () => {
    seen = await countFaults(journal);
  };
  const looks = repeat(LOOK_EVERY_MS, look, () => {
    seen = undefined;
  });
  looks.start();
  const sample = (value: number | undefined) => (value === undefined ? [] : [{ labels: {}, value }]);
  const stops = [
    sharedMetrics
      .gauge({ name: METRIC.chaosActive, help: 'Faults of this host with an open lease.', merge: 'max' })
      .collectFrom(() => sample(seen?.active)),
    sharedMetrics
      .gauge({
        name: METRIC.chaosResidual,
        help: 'Faults of this host whose lease is over and that are not proved to be gone.',
        merge: 'max',
      })
      .collectFrom(() => sample(seen?.residual)),
  ];
  return () => {
    void looks.stop();
    for (const stop of stops) stop();
  };
}
