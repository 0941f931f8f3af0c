import { z } from 'zod';
import type { PublishedLevel } from '../published-level';
import type { Database } from './database';

/** Told after each commit that changes a level, with the scope; see PublishedLevel. */
export const CHANNEL = 'chronawflow_degradation';

const override = z.object({ rank: z.number(), by: z.string(), reason: z.string(), until: z.number() });
const readOnly = z.object({ by: z.string(), reason: z.string(), until: z.number().optional() });

export const levelRow = z.object({
  scope: z.string(),
  version: z.coerce.number(),
  level: z.string(),
  rank: z.number(),
  reason: z.string(),
  since: z.string(),
  manual: override.nullable(),
  read_only: readOnly.nullable(),
  silent_ms: z.number(),
});

export const LEVEL_COLUMNS = `scope, version, level, rank, reason, manual, read_only,
  to_char(since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since,
  extract(epoch from clock_timestamp() - heard_at)::float8 * 1000 as silent_ms`;

/** The levels of all scopes that a controller has ever decided about. */
export async function readLevels(database: Database): Promise<PublishedLevel[]> {
  const { rows } = await database.query(
    `select ${LEVEL_COLUMNS} from chronawflow.degradation_level order by scope`,
  );
  return z.array(levelRow).parse(rows).map(publishedLevel);
}

export function publishedLevel({ manual, read_only, silent_ms, ...row }: z.output<typeof levelRow>) {
  return {
    ...row,
    override: manual ?? undefined,
    readOnly: read_only ?? undefined,
    silentMs: Math.max(0, silent_ms),
  };
}
