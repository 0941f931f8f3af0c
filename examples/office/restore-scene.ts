import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Chronawflow } from '../../client';
import { ChronawflowError, messageOf } from '../../core/errors';
import { deleteAllInvoices } from '../accubooks';

export interface RestoreAccount {
  readonly state: 'none' | 'running' | 'merged' | 'failed';
  readonly phase: string | undefined;
  /** Whether people were asked to approve what it would bring back. */
  readonly asked: boolean;
  readonly code: string | undefined;
  readonly message: string | undefined;
  /** The tenant has the invoices that it had before. */
  readonly whole: boolean;
  readonly frozen: boolean;
  /** None is under way. */
  readonly settled: boolean;
}

const LOOK_EVERY_MS = 100;
const LIMIT_MS = 180_000;

/** A tenant whose invoices are lost, and asked back: the restore is approved as soon as it asks. */
export class RestoreScene {
  private run: Pick<RestoreAccount, 'state' | 'phase' | 'asked' | 'code' | 'message'> = {
    ...{ state: 'none', phase: undefined, asked: false, code: undefined, message: undefined },
  };

  private constructor(
    private readonly cf: Pick<Chronawflow, 'recovery'>,
    private readonly application: Pool,
    private readonly tenant: string,
    private readonly invoices: number,
    /** A moment at which the tenant had them all. */
    private readonly whole: string,
  ) {}

  static async open(cf: Pick<Chronawflow, 'recovery'>, application: Pool, tenant: string) {
    const count = await countInvoices(application, tenant);
    return new RestoreScene(cf, application, tenant, count, await now(application));
  }

  /** Loses the invoices unless that has happened, and asks for them back. @returns when it has come to that phase, or has ended */
  async begin(until: string): Promise<RestoreAccount> {
    if (this.run.state === 'running') return this.account();
    if ((await countInvoices(this.application, this.tenant)) > 0)
      await deleteAllInvoices(this.application, this.tenant);
    this.run = { state: 'running', phase: 'starting', asked: false, code: undefined, message: undefined };
    void this.lead();
    const limit = performance.now() + LIMIT_MS;
    while (this.run.state === 'running' && this.run.phase !== until && performance.now() < limit)
      await sleep(LOOK_EVERY_MS);
    return this.account();
  }

  async account(): Promise<RestoreAccount> {
    const count = await countInvoices(this.application, this.tenant);
    const { rows } = await this.application.query<{ frozen: boolean }>(
      `select exists (select from chronawflow.gate where tenant = $1 and state = 'frozen') as frozen`,
      [this.tenant],
    );
    return {
      ...this.run,
      whole: count === this.invoices,
      frozen: rows[0]?.frozen ?? false,
      settled: this.run.state !== 'running',
    };
  }

  private async lead(): Promise<void> {
    try {
      const run = await this.cf.recovery.restoreTenant({
        tenant: this.tenant,
        to: this.whole,
        reason: 'an experiment lost them',
        requestedBy: 'office',
      });
      const waited = await run.until(({ phase, approval }) => approval.kind === 'open' || phase === 'done', {
        limitMs: LIMIT_MS,
        onStatus: ({ phase }) => {
          this.run = { ...this.run, phase };
        },
      });
      if (waited.approval.kind === 'open') {
        this.run = { ...this.run, asked: true };
        const preview = await run.preview({ limitMs: LIMIT_MS });
        await run.approve({ diffHash: preview.diffHash, as: 'second pair of eyes' });
      }
      const { outcome } = await run.result();
      this.run = {
        ...this.run,
        state: outcome === 'merged' || outcome === 'nothing-to-do' ? 'merged' : 'failed',
        phase: 'done',
        code: outcome,
      };
    } catch (error) {
      const code = error instanceof ChronawflowError ? error.code : undefined;
      this.run = { ...this.run, state: 'failed', phase: 'done', code, message: messageOf(error) };
    }
  }
}

async function countInvoices(pool: Pool, tenant: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select count(*)::integer as count from public.invoices where organisation_id = $1',
    [tenant],
  );
  return rows[0]?.count ?? 0;
}

async function now(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return rows[0]?.now ?? '';
}
