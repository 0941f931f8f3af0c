import { randomUUID } from 'node:crypto';
import { readVerifierKey, recordAuditEvent, sealState, verifyDatabase } from '../../core/audit';
import { disturbedNow } from '../../core/injection-points';
import type { Connections } from './connections';

/** What the office sees of the platform, by plain questions to its databases. */
export class Watch {
  constructor(
    private readonly pools: Pick<Connections, 'application' | 'platform' | 'standby'>,
    private readonly publicKey: string | undefined,
  ) {}

  /** How far the standby is behind what the primary has written. */
  async standby(): Promise<{
    readonly behindBytes: number;
    readonly behind: boolean;
    readonly current: boolean;
  }> {
    const primary = await this.pools.application.query<{ at: string }>('select pg_current_wal_lsn() as at');
    const { rows } = await this.pools.standby.query<{ paused: boolean; behind: number }>(
      `select pg_is_wal_replay_paused() as paused,
         greatest(0, pg_wal_lsn_diff($1, pg_last_wal_replay_lsn()))::float8 as behind`,
      [primary.rows[0]?.at],
    );
    const { paused = true, behind: behindBytes = 0 } = rows[0] ?? {};
    return {
      behindBytes,
      behind: paused && behindBytes > 5_000,
      current: !paused && behindBytes < 1_000_000,
    };
  }

  /** Writes some, so that a standby that stands still can be seen to fall behind. */
  async write(): Promise<void> {
    await this.pools.application.query(`select pg_logical_emit_message(true, 'office', repeat('x', 10000))`);
  }

  async audit(): Promise<{
    readonly unsealed: number;
    readonly waiting: boolean;
    readonly sealed: boolean;
    readonly violations: number;
  }> {
    const { unsealed } = await sealState(this.pools.platform);
    const key = this.publicKey === undefined ? undefined : await readVerifierKey(this.publicKey);
    const checked = key === undefined ? undefined : await verifyDatabase(this.pools.platform, key);
    return {
      unsealed,
      waiting: unsealed >= 10,
      sealed: unsealed < 10,
      violations: checked?.violations.length ?? 0,
    };
  }

  async recordEvents(count: number): Promise<number> {
    for (let n = 0; n < count; n += 1)
      await recordAuditEvent(this.pools.platform, {
        id: randomUUID(),
        actor: 'office',
        action: 'office.event',
        outcome: 'done',
      });
    return count;
  }

  /** Dates input by a clock that an experiment may put forward, and looks by whose clock it was ordered. */
  async clock(tenant: string): Promise<{ readonly ahead: boolean; readonly orderedByDatabase: boolean }> {
    const claimed = disturbedNow('office', 'clock', tenant);
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids)
      await recordAuditEvent(this.pools.platform, {
        id,
        actor: 'office',
        action: 'office.dated',
        outcome: 'done',
        details: { claimed: new Date(claimed).toISOString() },
      });
    const { rows } = await this.pools.platform.query<{ ordered: boolean }>(
      `select (select at from chronawflow.audit_event where id = $1) <= (select at from chronawflow.audit_event where id = $2)
         and (select max(at) from chronawflow.audit_event where id in ($1, $2)) between clock_timestamp() - interval '1 minute'
           and clock_timestamp() as ordered`,
      ids,
    );
    return { ahead: claimed - Date.now() > 3_600_000, orderedByDatabase: rows[0]?.ordered ?? false };
  }

  async level(): Promise<{ readonly rank: number; readonly reduced: boolean }> {
    const { rows } = await this.pools.platform.query<{ rank: number }>(
      'select coalesce(max(rank), 0) as rank from chronawflow.degradation_level',
    );
    const rank = rows[0]?.rank ?? 0;
    return { rank, reduced: rank > 0 };
  }

  async contained(): Promise<{ readonly tenants: readonly string[]; readonly any: boolean }> {
    const { rows } = await this.pools.platform.query<{ tenant: string }>(
      `select distinct tenant from chronawflow.containment where state = 'active' and tenant is not null`,
    );
    return { tenants: rows.map(({ tenant }) => tenant), any: rows.length > 0 };
  }
}
