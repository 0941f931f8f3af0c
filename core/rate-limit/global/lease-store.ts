import type { Pool, QueryResultRow } from 'pg';
import { type ConnectionSettings, createPool } from '../../../database';
import type { LeaseWish } from './lease-wish.pure';
import type { LeaseGrant } from './ledger.pure';
import type { Slots } from './slots.pure';
import { StatementTimeoutError } from './statement-timeout-error';
import { AHEAD_SHARE, MEMBER_TTL_MS, SILENCE_MS } from './timing.pure';

export interface LeaseOf {
  readonly key: string;
  readonly limit: number;
  readonly slots: Slots;
  readonly share: number;
}

/** Leases of many tenants are asked for at once; each takes well below a millisecond. */
const CONNECTIONS = 4;
/** A budget is removed when nobody has used it for longer than its window; a bucket fills up in 60 slots at most. */
const SWEEP_SQL = `delete from chronawflow.rate_budget where used_at < clock_timestamp()
  - greatest(interval '10 minutes', slot_ms * (case when level is null then back else 60 end + 2) * interval '1 millisecond')`;

/** The statements of the lease protocol. A statement that gets no answer in time costs its connection. */
export class LeaseStore {
  private readonly pool: Pool;

  constructor(
    connection: ConnectionSettings,
    private readonly process: string,
    private readonly timeoutMs: number,
  ) {
    this.pool = createPool(connection, {
      applicationName: 'chronawflow rate limits',
      max: CONNECTIONS,
      connectTimeoutMs: timeoutMs,
    });
  }

  /** The database's time in milliseconds. */
  async probe(): Promise<number> {
    const row = await this.row<{ at: number }>(`select chronawflow.epoch_ms(clock_timestamp()) as at`, []);
    return row.at;
  }

  heartbeat(deadline: number, rejoin: boolean): Promise<{ readonly at: number; readonly late: boolean }> {
    return this.row('select * from chronawflow.rate_heartbeat($1, $2, $3)', [this.process, deadline, rejoin]);
  }

  async lease(of: LeaseOf, wish: LeaseWish, deadline: number): Promise<LeaseGrant> {
    const { slots } = of;
    const row = await this.row<{ slot: string } & Omit<LeaseGrant, 'slot'>>(
      `select * from chronawflow.rate_grant($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
      [
        this.process,
        of.key,
        of.limit,
        slots.slotMs,
        slots.back,
        slots.ahead,
        slots.refill ?? null,
        slots.memory,
        of.share,
        wish.wantNow,
        wish.needNow,
        wish.wantAhead,
        wish.returnFirst,
        wish.returned,
        deadline,
        SILENCE_MS,
        MEMBER_TTL_MS,
        AHEAD_SHARE,
      ],
    );
    return { ...row, slot: Number(row.slot) };
  }

  /** Removes what dead processes and forgotten keys left behind. */
  async sweep(): Promise<void> {
    await this.rows(
      `delete from chronawflow.rate_member where last_seen < clock_timestamp() - $1 * interval '1 millisecond'`,
      [MEMBER_TTL_MS],
    );
    await this.rows(SWEEP_SQL, []);
  }

  /** Nobody has to keep this process's share free any more. */
  async leave(): Promise<void> {
    await this.rows('delete from chronawflow.rate_member where process = $1', [this.process]);
  }

  close(): Promise<void> {
    return this.pool.end();
  }

  /** The only row of the answer. */
  private async row<R extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<R> {
    const [row] = await this.rows<R>(text, values);
    if (row === undefined) throw new StatementTimeoutError(this.timeoutMs);
    return row;
  }

  private async rows<R extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<R[]> {
    const client = await this.pool.connect();
    let timer: NodeJS.Timeout | undefined;
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      const timeout = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new StatementTimeoutError(this.timeoutMs)), this.timeoutMs);
      });
      const query = client.query<R>(text, [...values]);
      // The loser of the race may fail later, when its connection is closed.
      query.catch(() => undefined);
      return (await Promise.race([query, timeout])).rows;
    } catch (error) {
      broken ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      clearTimeout(timer);
      client.off('error', onError);
      client.release(broken ?? false);
    }
  }
}
