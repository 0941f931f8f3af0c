import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { listUndone } from '../../core/jobs';
import { beginAttempts } from '../../core/jobs/store/begin-attempts';
import { completeAttempts } from '../../core/jobs/store/complete-attempts';
import { onceInTransaction } from '../../core/jobs/store/once';
import type { SliceLab } from './slice-lab';
import { TENANTS, useSliceLabs } from './slice-labs';

const SCHEMA = `${TENANTS} create table invoice (id text primary key, tenant_id text not null references tenants)`;
export const LEASE_MS = 60_000;

export interface Attempt {
  readonly tenant: string;
  readonly type: string;
  readonly key: string;
  readonly owner: string;
}

/** For one test file: in each test a database of tenants whose jobs bill, to be restored to before they did. */
export function useEffectsLab() {
  const { world } = useSliceLabs();
  let lab: SliceLab;
  let pool: Pool;
  beforeEach(async () => {
    lab = await world(SCHEMA);
    pool = lab.app.application;
  });

  /** As a worker would have it: submitted, handed over, begun. */
  const begin = async (key: string, tenant = 'a'): Promise<Attempt> => {
    const attempt = { tenant, type: 'bill', key, owner: randomUUID() };
    await pool.query(
      `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
       values ($1, $2, $3, 'f', '{}', 3, 'handed', clock_timestamp(), clock_timestamp() + interval '1 minute')
       on conflict (tenant, type, key) do update set state = 'handed', lease_until = excluded.lease_until`,
      [attempt.tenant, attempt.type, attempt.key],
    );
    expect(await beginAttempts(pool, [attempt], LEASE_MS)).toMatchObject([{ kind: 'begun' }]);
    return attempt;
  };
  const bill = (attempt: Attempt, id: string, step = 'post') =>
    onceInTransaction(
      pool,
      attempt,
      step,
      async (tx) => {
        await tx.query('insert into invoice values ($1, $2)', [id, attempt.tenant]);
        return { id };
      },
      LEASE_MS,
    );
  const complete = (attempt: Attempt) => completeAttempts(pool, [{ ...attempt, result: null }], LEASE_MS);

  return {
    begin,
    bill,
    complete,
    /** A whole job: one invoice, done. */
    done: async (key: string, tenant = 'a'): Promise<void> => {
      const attempt = await begin(key, tenant);
      await bill(attempt, `${tenant} ${key}`);
      await complete(attempt);
    },
    invoices: async () =>
      (await lab.live.query<{ id: string }>('select id from invoice order by id')).rows.map((row) => row.id),
    stateOf: async (key: string) =>
      (await lab.live.query<{ state: string }>('select state from chronawflow.job where key = $1', [key]))
        .rows[0]?.state,
    /** What nobody has decided about. */
    open: async (tenant = 'a') =>
      (await listUndone(pool, { tenant }, 100)).map(({ kind, key, steps, ended }) => ({
        kind,
        key,
        steps,
        ended,
      })),
    get lab() {
      return lab;
    },
    get pool() {
      return pool;
    },
  };
}
