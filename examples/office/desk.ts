import type { Pool } from 'pg';
import { hasCode } from '../../core/errors';

export interface DeskAnswer {
  readonly outcome: 'written' | 'refused' | 'timeout';
  readonly tookMs: number;
  /** Ended within what the desk promises, whatever came of it. */
  readonly bounded: boolean;
}

const TABLES = {
  access_log: `insert into access_log (organisation_id, user_id, at, action, address)
    select $1, id, clock_timestamp(), 'desk', '192.0.2.1' from users where organisation_id = $1 limit 1`,
  invoices: `update invoices set status = status
    where id = (select id from invoices where organisation_id = $1 order by id limit 1)`,
} as const;

export type DeskTable = keyof typeof TABLES;

/** One small write as a request of the application does it: it ends within the pool's limits, whatever the database does. */
export async function writeAtDesk(
  pool: Pool,
  organisation: string,
  table: DeskTable = 'access_log',
): Promise<DeskAnswer> {
  const begun = performance.now();
  const answer = (outcome: DeskAnswer['outcome']) => {
    const tookMs = Math.round(performance.now() - begun);
    return { outcome, tookMs, bounded: tookMs <= LIMIT_MS + SLACK_MS };
  };
  try {
    await withinLimit(pool.query(TABLES[table], [organisation]));
    return answer('written');
  } catch (error) {
    // SQLSTATE query_canceled; the rest is a refusal of some kind.
    return answer(
      hasCode(error, '57014', 'DESK_LIMIT') || /timeout/i.test(String(error)) ? 'timeout' : 'refused',
    );
  }
}

/** A server that swallows what it is sent never cancels a statement: then the caller's own limit ends the wait. */
const LIMIT_MS = 4_000;
/** A busy machine runs a timer late. */
const SLACK_MS = 2_000;

async function withinLimit<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('no answer'), { code: 'DESK_LIMIT' })), LIMIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
