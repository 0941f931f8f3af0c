import type { Pool } from 'pg';

const EVENT = `insert into chronawflow.audit_event (id, actor, action, tenant, object, outcome, request, details)
  select 'fill/' || n, 'ada@example.org', 'restore.stage', 'tenant-' || n % 8, 'r3f2a9c1b7d40', 'ok',
         'restore/tenant-' || n % 8 || '/2026-11-23',
         jsonb_build_object('rows', n, 'bytes', 123456, 'digest', 'c0ffee00c0ffee00c0ffee00c0ffee00')`;

/** Events as `eventOf` has them, written by the server itself: how they came is not what is measured. */
export async function fill(pool: Pool, events: number): Promise<void> {
  const step = 5_000;
  for (let from = 0; from < events; from += step) {
    await pool.query(`${EVENT} from generate_series($1::int, $2::int) n`, [
      from,
      Math.min(from + step, events) - 1,
    ]);
  }
}

/** The same, each in a transaction of its own, as they come in use: the sealer goes by transactions. */
export async function fillOneByOne(pool: Pool, events: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('set synchronous_commit = off');
    await client.query(
      `do $$ begin for i in 0..${events - 1} loop ${EVENT} from (values (i)) v (n); commit; end loop; end $$`,
    );
  } finally {
    client.release(true);
  }
}
