import { startPostgres } from '../../test/support/real-postgres';
import type { Bench } from '../support/run-benchmark';
import type { HostFaults } from './host-faults';

/** A standby that streams from a primary of its own, and what it can be disturbed by. */
export async function standbyFaults({ cleanUp }: Bench): Promise<HostFaults> {
  const primary = await startPostgres({ settings: { wal_level: 'replica', max_wal_senders: 4 } });
  cleanUp.add(() => primary.stop());
  const standby = await startPostgres({ standbyOf: primary });
  cleanUp.add(() => standby.stop());
  return {
    targets: { standby: { kind: 'postgres', database: standby.connection('postgres') } },
    faults: [{ driver: 'postgres.replication-paused', target: 'standby', database: standby }],
  };
}
