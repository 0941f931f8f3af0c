import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import { workflowIdPart } from '../../workflow-id';
import { lockActive } from './lock-active';

/**
 * Which schedules have an input that is encrypted for a tenant (README.md, invariant 8). A record is kept when its schedule is
 * removed: somebody may be setting it anew at that moment.
 */
export class ScheduleRecord {
  constructor(private readonly platform: Pool) {}

  /**
   * Before a schedule is created or changed, and once more afterwards.
   *
   * @throws PayloadKeyDestroyedError when the tenant's keys are about to be destroyed, or were: then the schedule has to go
   */
  async note(tenant: string, scheduleId: string): Promise<void> {
    const owner = workflowIdPart(tenant);
    await inTransaction(this.platform, async (tx) => {
      await lockActive(tx, owner);
      await tx.query(
        'insert into chronawflow.payload_schedule (schedule_id, owner) values ($1, $2) on conflict do nothing',
        [scheduleId, owner],
      );
    });
  }

  /** IDs of all that were ever noted for the tenant. */
  async of(tenant: string): Promise<string[]> {
    const { rows } = await this.platform.query<{ schedule_id: string }>(
      'select schedule_id from chronawflow.payload_schedule where owner = $1 order by schedule_id',
      [workflowIdPart(tenant)],
    );
    return rows.map(({ schedule_id }) => schedule_id);
  }
}
