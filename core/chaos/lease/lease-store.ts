import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { hasCode } from '../../errors';
import { ChaosRefusedError } from '../errors';
import type { EndReason, FaultLease } from './lease';

/** SQLSTATE unique_violation. */
const TAKEN = '23505';

/** Whether what the transaction does may be; called before its commit. */
export type AuthorizeFault = (tx: ClientBase) => Promise<void>;

export interface StoredLease {
  readonly id: string;
  readonly experiment: string;
  readonly driver: string;
  readonly target: string;
  readonly host: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly deadline: string;
  readonly openedAt: string;
  readonly abortRequested: boolean;
  /** By the database's clock. */
  readonly overdue: boolean;
}

/**
 * The control plane's copy of every host's leases: for who looks from elsewhere, for aborting from elsewhere, and so that two
 * experiments do not meet on one target. What is read from it is input: nothing is carried out because a row says so, except
 * ending a fault of an allowed driver at an allowed target.
 */
export class LeaseStore {
  constructor(private readonly platform: Pool) {}

  /** The same lease again changes nothing. @throws ChaosRefusedError when another fault has the resource */
  async open(
    lease: FaultLease,
    resource: string,
    durationMs: number,
    authorize?: AuthorizeFault,
  ): Promise<void> {
    try {
      await this.change(
        authorize,
        `insert into chronawflow.fault_lease (id, experiment, driver, target, resource, host, parameters, deadline)
         values ($1, $2, $3, $4, $5, $6, $7, clock_timestamp() + $8 * interval '1 ms')
         on conflict (id) do nothing`,
        [
          lease.id,
          lease.experiment,
          lease.driver,
          lease.target,
          resource,
          lease.host,
          lease.parameters,
          durationMs,
        ],
      );
    } catch (error) {
      if (!hasCode(error, TAKEN)) throw error;
      throw new ChaosRefusedError(
        'overlap',
        `${lease.target} is under another fault already, so ${lease.driver} was not injected.`,
        'Wait until it has ended: chronawflow chaos list.',
      );
    }
  }

  async close(id: string, by: string, reason: EndReason): Promise<void> {
    await this.platform.query(
      `update chronawflow.fault_lease set ended_at = clock_timestamp(), ended_by = $2, end_reason = $3
        where id = $1 and ended_at is null`,
      [id, by, reason],
    );
  }

  /** Open leases, of one host or of all, the oldest first. */
  async active(host?: string): Promise<readonly StoredLease[]> {
    const { rows } = await this.platform.query<StoredLease>(
      `select id, experiment, driver, target, host, parameters, abort_requested_at is not null as "abortRequested",
              deadline < clock_timestamp() as overdue,
              to_char(deadline at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as deadline,
              to_char(opened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "openedAt"
         from chronawflow.fault_lease
        where ended_at is null and ($1::text is null or host = $1)
        order by opened_at, id`,
      [host ?? null],
    );
    return rows;
  }

  /** Asks the reapers of all hosts to end their faults now. @returns how many were asked for */
  requestAbort(by: string, authorize?: AuthorizeFault): Promise<number> {
    return this.change(
      authorize,
      `update chronawflow.fault_lease set abort_requested_at = clock_timestamp(), abort_requested_by = $1
        where ended_at is null and abort_requested_at is null`,
      [by],
    );
  }

  /** @returns how many rows it has changed */
  private async change(
    authorize: AuthorizeFault | undefined,
    sql: string,
    values: readonly unknown[],
  ): Promise<number> {
    if (authorize === undefined) return (await this.platform.query(sql, [...values])).rowCount ?? 0;
    return inTransaction(this.platform, async (tx) => {
      const { rowCount } = await tx.query(sql, [...values]);
      await authorize(tx);
      return rowCount ?? 0;
    });
  }
}
