import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../database';
import { askedBy, writeOutbox } from '../audit';
import { canonicalJson } from '../canonical-json';
import { InvalidInputError } from '../errors';
import { decideStart, type RecordState, type StartDecision } from './decide-start.pure';
import { ExecutionFencedError } from './errors/execution-fenced-error';
import { ExecutionRunningError } from './errors/execution-running-error';
import { IdempotencyKeyReusedError } from './errors/idempotency-key-reused-error';
import { fingerprint } from './fingerprint';
import type { CheckAnswer, Execution, IdempotencyEvent, IdempotencyRef, Json, StartAnswer } from './types';

export interface IdempotencyOptions {
  /** How long an owner that does not renew keeps others out, in milliseconds. Default 30 s. */
  readonly leaseMs?: number;
  /** How long a result is kept and its key refused for another payload, in milliseconds. Default 7 days. */
  readonly retentionMs?: number;
  /** Told of replays, refusals and take-overs, after they are decided; what it throws is the caller's error. */
  readonly onEvent?: (event: IdempotencyEvent) => Promise<void>;
  /** Who asks, for the audit log; default `application`. */
  readonly actor?: string;
}

const LEASE_MS = 30_000;
const RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;
const PART_LIMIT = 300;

interface Tried {
  readonly decision: StartDecision;
  readonly row?: RecordRow;
  readonly fence: number;
}

interface RecordRow {
  readonly fingerprint: string;
  readonly state: 'started' | 'completed';
  readonly fence: string;
  readonly lapsed: boolean;
  readonly expired: boolean;
  readonly lease_until: string;
  readonly result: Json;
}

const READ = `select fingerprint, state, fence, result, lease_until,
    lease_until <= clock_timestamp() as lapsed,
    coalesce(expires_at <= clock_timestamp(), false) as expired
  from chronawflow.idempotency where tenant = $1 and scope = $2 and key = $3`;

/**
 * Lets a request that may come several times have its effects once.
 *
 * @example
 * const idempotency = new IdempotencyManager(pool);
 * const invoice = await idempotency.execute({ tenant, scope: 'POST /invoices', key }, body, async (tx) => {
 *   const { rows } = await tx.query('insert into invoices … returning id', […]);
 *   return { id: rows[0].id };
 * });
 */
export class IdempotencyManager {
  private readonly leaseMs: number;
  private readonly retentionMs: number;

  /** @param pool of the application's database, where the schema `chronawflow` was migrated */
  constructor(
    private readonly pool: Pool,
    private readonly options: IdempotencyOptions = {},
  ) {
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.retentionMs = options.retentionMs ?? RETENTION_MS;
  }

  /** What is known of a request; changes nothing. @throws IdempotencyKeyReusedError, InvalidInputError */
  async checkIdempotency(ref: IdempotencyRef, payload: unknown): Promise<CheckAnswer> {
    const print = fingerprint(payload);
    const { rows } = await this.pool.query<RecordRow>(READ, partsOf(ref));
    const row = rows[0];
    switch (decideStart(stateOf(row), print)) {
      case 'reject':
        await this.tell(this.pool, ref, 'rejected', Number(row?.fence ?? 0));
        await this.options.onEvent?.({ kind: 'rejected', ref, fence: Number(row?.fence ?? 0) });
        throw new IdempotencyKeyReusedError(ref);
      case 'replay':
        return { kind: 'completed', result: row?.result ?? null };
      case 'wait':
      case 'take-over':
        return { kind: 'running', until: row?.lease_until ?? '', lapsed: row?.lapsed ?? true };
      case 'start':
        return { kind: 'unknown' };
    }
  }

  /**
   * Takes the request for this caller, unless it was done or somebody else does it.
   *
   * @throws IdempotencyKeyReusedError, InvalidInputError
   */
  async startExecution(ref: IdempotencyRef, payload: unknown): Promise<StartAnswer> {
    const print = fingerprint(payload);
    const owner = randomUUID();
    const { decision, row, fence } = await this.tryStart(ref, print, owner);
    const kind = TOLD[decision];
    if (kind !== undefined) await this.options.onEvent?.({ kind, ref, fence });
    switch (decision) {
      case 'reject':
        throw new IdempotencyKeyReusedError(ref);
      case 'replay':
        return { kind: 'completed', result: row?.result ?? null };
      case 'wait':
        return { kind: 'running', until: row?.lease_until ?? '' };
      case 'take-over':
        return { kind: 'started', execution: { ref, owner, fence }, takenOver: true };
      case 'start':
        return { kind: 'started', execution: { ref, owner, fence }, takenOver: false };
    }
  }

  /** Keeps others out for another lease. @throws ExecutionFencedError when somebody has taken over */
  async renewExecution(execution: Execution): Promise<void> {
    const { rowCount } = await this.pool.query(
      `update chronawflow.idempotency set lease_until = clock_timestamp() + $5 * interval '1 millisecond'
       where tenant = $1 and scope = $2 and key = $3 and owner = $4 and state = 'started'`,
      [...partsOf(execution.ref), execution.owner, this.leaseMs],
    );
    if (rowCount !== 1) throw new ExecutionFencedError(execution);
  }

  /**
   * Records the result in the caller's transaction `tx`, which is the one that has the effects. Without one the record is
   * true only of effects that committed before.
   *
   * @throws ExecutionFencedError when somebody has taken over: let it roll `tx` back
   */
  async completeExecution(
    execution: Execution,
    result: unknown,
    tx: Pool | PoolClient = this.pool,
  ): Promise<void> {
    const { rowCount } = await tx.query(
      `update chronawflow.idempotency
       set state = 'completed', result = $5, completed_at = clock_timestamp(),
           expires_at = clock_timestamp() + $6 * interval '1 millisecond'
       where tenant = $1 and scope = $2 and key = $3 and owner = $4 and state = 'started'`,
      [...partsOf(execution.ref), execution.owner, canonicalJson(result ?? null), this.retentionMs],
    );
    if (rowCount !== 1) throw new ExecutionFencedError(execution);
  }

  /** Renews the lease again and again. @returns what ends that; call it in any case */
  keepRenewed(execution: Execution): () => void {
    const renewal = setInterval(() => {
      // A failed renewal is not this loop's to report: completion decides who owns the request.
      void this.renewExecution(execution).catch(() => undefined);
    }, this.leaseMs / 3);
    renewal.unref();
    return () => clearInterval(renewal);
  }

  /** Gives the request up, so that the next one need not wait for the lease. Nothing happens when it was taken over. */
  async abandonExecution(execution: Execution): Promise<void> {
    await this.pool.query(
      `update chronawflow.idempotency set lease_until = clock_timestamp()
       where tenant = $1 and scope = $2 and key = $3 and owner = $4 and state = 'started'`,
      [...partsOf(execution.ref), execution.owner],
    );
  }

  /**
   * Runs `work` once: its effects through `tx` and the recorded result commit together.
   *
   * @returns the result of this run or of the one that was first
   * @throws ExecutionRunningError while another owner is at it; IdempotencyKeyReusedError; ExecutionFencedError;
   *   whatever `work` throws, after which the request may be tried again
   */
  async execute(
    ref: IdempotencyRef,
    payload: unknown,
    work: (tx: PoolClient) => Promise<Json>,
  ): Promise<Json> {
    const answer = await this.startExecution(ref, payload);
    if (answer.kind === 'completed') return answer.result;
    if (answer.kind === 'running') throw new ExecutionRunningError(ref, answer.until);
    const { execution } = answer;
    const letGo = this.keepRenewed(execution);
    try {
      return await inTransaction(this.pool, async (tx) => {
        const result = await work(tx);
        await this.completeExecution(execution, result, tx);
        return result;
      });
    } catch (error) {
      // The first error is the one to tell; a lease that cannot be given back lapses by itself.
      await this.abandonExecution(execution).catch(() => undefined);
      throw error;
    } finally {
      letGo();
    }
  }

  /**
   * Deletes records whose retention is over, and abandoned ones that nobody took over for as long.
   *
   * @returns how many; call again until it is 0
   */
  async expireRecords(limit = 1_000): Promise<number> {
    const { rowCount } = await this.pool.query(
      `with expired as (
         select tenant, scope, key from chronawflow.idempotency
         where state = 'completed' and expires_at <= clock_timestamp() limit $1 for update skip locked
       ), unfinished as (
         select tenant, scope, key from chronawflow.idempotency
         where state = 'started' and lease_until <= clock_timestamp() - $2 * interval '1 millisecond'
         limit $1 for update skip locked
       )
       delete from chronawflow.idempotency
       where (tenant, scope, key) in (table expired union all table unfinished)`,
      [limit, this.retentionMs],
    );
    return rowCount ?? 0;
  }

  /** One decision under the record's lock. A record that is deleted in between is simply absent: again. */
  private async tryStart(ref: IdempotencyRef, print: string, owner: string): Promise<Tried> {
    for (;;) {
      const tried = await inTransaction(this.pool, async (tx): Promise<Tried | undefined> => {
        if (await this.insert(tx, ref, print, owner)) return { decision: 'start', fence: 1 };
        const { rows } = await tx.query<RecordRow>(`${READ} for update`, partsOf(ref));
        const row = rows[0];
        if (row === undefined) return undefined;
        const decision = decideStart(stateOf(row), print);
        const takes = decision === 'start' || decision === 'take-over';
        const fence = takes ? await this.take(tx, ref, print, owner) : Number(row.fence);
        const told = TOLD[decision];
        if (told !== undefined) await this.tell(tx, ref, told, fence);
        return { decision, row, fence };
      });
      if (tried !== undefined) return tried;
    }
  }

  private async insert(tx: PoolClient, ref: IdempotencyRef, print: string, owner: string): Promise<boolean> {
    const { rowCount } = await tx.query(
      `insert into chronawflow.idempotency (tenant, scope, key, fingerprint, state, owner, lease_until)
       values ($1, $2, $3, $4, 'started', $5, clock_timestamp() + $6 * interval '1 millisecond')
       on conflict do nothing`,
      [...partsOf(ref), print, owner, this.leaseMs],
    );
    return rowCount === 1;
  }

  /** Only under the record's lock. */
  private async take(tx: PoolClient, ref: IdempotencyRef, print: string, owner: string): Promise<number> {
    const { rows } = await tx.query<{ fence: string }>(
      `update chronawflow.idempotency
       set fingerprint = $4, state = 'started', owner = $5, fence = fence + 1, result = null,
           lease_until = clock_timestamp() + $6 * interval '1 millisecond',
           started_at = clock_timestamp(), completed_at = null, expires_at = null
       where tenant = $1 and scope = $2 and key = $3
       returning fence`,
      [...partsOf(ref), print, owner, this.leaseMs],
    );
    return Number(rows[0]?.fence);
  }

  /** In the transaction that decides, so that no take-over goes untold. */
  private tell(
    db: Pool | PoolClient,
    { tenant, scope, key }: IdempotencyRef,
    what: IdempotencyEvent['kind'],
    fence: number,
  ): Promise<void> {
    return writeOutbox(db, [
      {
        action: `idempotency.${what}`,
        actor: this.options.actor ?? 'application',
        tenant,
        object: `${scope}/${key}`,
        outcome: what === 'rejected' ? 'IDEMPOTENCY_KEY_REUSED' : 'ok',
        ...askedBy(),
        details: { fence },
      },
    ]);
  }
}

const TOLD: Readonly<Partial<Record<StartDecision, IdempotencyEvent['kind']>>> = {
  replay: 'replayed',
  reject: 'rejected',
  'take-over': 'taken-over',
};

function stateOf(row: RecordRow | undefined): RecordState {
  if (row === undefined) return { kind: 'absent' };
  return row.state === 'started'
    ? { kind: 'started', fingerprint: row.fingerprint, lapsed: row.lapsed }
    : { kind: 'completed', fingerprint: row.fingerprint, expired: row.expired };
}

function partsOf(ref: IdempotencyRef): [string, string, string] {
  for (const [name, part] of [
    ['tenant', ref.tenant],
    ['scope', ref.scope],
    ['key', ref.key],
  ] as const) {
    if (part.length === 0 || part.length > PART_LIMIT || part.includes('\0')) {
      throw new InvalidInputError(
        `The ${name} of an idempotency key must have 1 to ${PART_LIMIT} characters.`,
        {
          hint: 'Hash what is longer, and keep personal data out of keys.',
          details: { name, length: part.length },
        },
      );
    }
  }
  return [ref.tenant, ref.scope, ref.key];
}
