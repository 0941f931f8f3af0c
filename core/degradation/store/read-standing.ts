import type { ClientBase } from 'pg';
import { z } from 'zod';
import type { Standing } from '../justify.pure';
import { NORMAL_NAME } from '../policy.pure';
import { levelRow } from './read-levels';

const row = levelRow.pick({ version: true, level: true, rank: true, manual: true, read_only: true }).extend({
  since: z.number(),
  evidence: z.record(z.string(), z.number()),
  recovered_at: z.array(z.number()),
  now: z.number(),
});

/** What stands of a scope, kept from changing until the transaction ends; normal when nothing was ever decided. */
export async function readStanding(tx: ClientBase, scope: string): Promise<Standing> {
  const { rows } = await tx.query(
    `select version, level, rank, manual, read_only, evidence, extract(epoch from since)::float8 * 1000 as since,
       array(select extract(epoch from at)::float8 * 1000 from unnest(recovered_at) at
             where at > clock_timestamp() - interval '1 hour' order by at) as recovered_at,
       extract(epoch from clock_timestamp())::float8 * 1000 as now
     from chronawflow.degradation_level where scope = $1 for update`,
    [scope],
  );
  const [found] = z.array(row).parse(rows);
  if (found === undefined) {
    const nothing = { override: undefined, readOnly: undefined, evidence: {}, recoveredAt: [] };
    return { version: 0, level: NORMAL_NAME, rank: 0, since: 0, now: Date.now(), ...nothing };
  }
  const { manual, read_only, recovered_at: recoveredAt, ...standing } = found;
  return { ...standing, recoveredAt, override: manual ?? undefined, readOnly: read_only ?? undefined };
}
