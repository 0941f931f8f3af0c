import type { Pool, PoolClient } from 'pg';
import { mergeRestore } from '../../core/recovery/merge/merge-restore';
import type { Prepared, SliceLab } from './slice-lab';
import { until } from './until';

/** The merge of `prepared` as another caller would repeat it: with a context of its own. */
export function mergeWith(lab: SliceLab, application: Pool, prepared: Prepared) {
  const request = {
    restoreId: prepared.restoreId,
    modes: { create: true, update: true, delete: true },
    decisions: [],
    allowEmpty: false,
  };
  return mergeRestore({ ...lab.context, application }, request, prepared.preview.diffHash, {});
}

/** A pool whose clients call `before` with the text of each statement, ahead of sending it. */
export function watched(pool: Pool, before: (sql: string, client: PoolClient) => Promise<unknown>): Pool {
  return new Proxy(pool, {
    get: (target, property) => {
      if (property !== 'connect') return bound(target, property);
      return async () => {
        const client = await target.connect();
        return new Proxy(client, {
          get: (inner, name) => {
            if (name !== 'query') return bound(inner, name);
            return async (sql: string, values?: unknown[]) => {
              await before(sql, inner);
              return inner.query(sql, values);
            };
          },
        });
      };
    },
  });
}

function bound(target: object, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

export async function waitForWaiter(lab: SliceLab): Promise<void> {
  await until(
    async () => {
      const { rows } = await lab.live.query<{ waiting: boolean }>(
        `select exists (select from pg_stat_activity where datname = current_database() and usename = 'chronawflow'
           and (wait_event_type = 'Lock' or state like 'idle in%' and query like '%l.virtualtransaction%')) as waiting`,
      );
      return rows[0]?.waiting ?? false;
    },
    { what: 'the merge to wait for a lock' },
  );
}

export const settled = (merging: Promise<unknown>) =>
  merging.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

export async function terminate(lab: SliceLab, client: PoolClient): Promise<void> {
  const pid: unknown = Reflect.get(client, 'processID');
  await lab.live.query('select pg_terminate_backend($1, 60000)', [pid]);
}
