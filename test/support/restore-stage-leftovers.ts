import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { PLATFORM } from '../../core/local-stack';
import type { RestoreStage } from './restore-stage';

type Parts = Pick<RestoreStage, 'app' | 'books' | 'config'>;

/**
 * Everything that a restore makes for its own time and that is still there, as readable lines: gates, triggers, staging,
 * open records, frozen tenants, sessions, scratch clusters with their processes. Empty when all operations are over.
 * Pre-images of merged restores stay for the undo and do not count.
 */
export async function leftovers({ app, books, config }: Parts): Promise<string[]> {
  const platform = app.platformCluster.connect(PLATFORM.database, undefined, 1);
  try {
    const { scratchDirectory } = config.application.backup;
    return [
      ...(await lines(books, IN_APPLICATION)),
      ...(await sessionsThatStay(books)),
      ...(await lines(platform, IN_PLATFORM)),
      ...(await readdir(scratchDirectory)).map((name) => `scratch directory ${name}`),
      ...(await processesIn(scratchDirectory)),
    ];
  } finally {
    await platform.end();
  }
}

const IN_APPLICATION = `
select count(*) || ' functions such as ' || min(proname) as line from pg_proc
 where pronamespace = 'chronawflow'::regnamespace and proname like 'gate%' having count(*) > 0
union all
select count(*) || ' triggers such as ' || min(tgname) from pg_trigger where tgname like 'chronawflow%' having count(*) > 0
union all
select count(*) || ' tables such as ' || min(c.relname) from pg_class c
 where c.relnamespace = 'chronawflow'::regnamespace and c.relkind = 'r' and c.relname ~ '^r[0-9a-f]{12}_'
   and not (c.relname ~ '_(changes|before)_' and exists (
     select from chronawflow.restore r where r.id = left(c.relname, 13) and r.state = 'merged'))
having count(*) > 0
union all
select 'open record of ' || workflow_id from chronawflow.restore where closed_at is null
union all
select 'frozen gate ' || restore_id from chronawflow.gate where state <> 'open' and until > clock_timestamp()`;

const IN_TRANSACTION = `
select pid || ' since ' || xact_start as transaction, 'session in a transaction: ' || query as line from pg_stat_activity
 where usename = 'chronawflow' and state like 'idle in transaction%'`;

/** Longer than a busy machine takes from one statement of a transaction to the next. */
const STAYS_MS = 20_000;

const IN_PLATFORM = `
select 'unfinished in the journal: ' || workflow_id || ' in ' || phase as line from chronawflow.restore
 where finished_at is null`;

async function lines(pool: Pool, sql: string): Promise<string[]> {
  const { rows } = await pool.query<{ line: string }>(sql);
  return rows.map((row) => row.line);
}

/** The worker's rounds go on, and may be between two statements: only a transaction that stays is left over. */
async function sessionsThatStay(books: Pool): Promise<string[]> {
  const look = async () => (await books.query<{ transaction: string; line: string }>(IN_TRANSACTION)).rows;
  let stay = await look();
  for (const limit = Date.now() + STAYS_MS; stay.length > 0 && Date.now() < limit; await sleep(50)) {
    const there = new Set((await look()).map(({ transaction }) => transaction));
    stay = stay.filter(({ transaction }) => there.has(transaction));
  }
  return stay.map(({ line }) => line);
}

/** Processes that name the directory in an argument or stand in it: servers, pgBackRest, its fetchers. */
export async function processesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(whenGone);
    if (commandLine.includes(`${directory}/`))
      found.push(`process ${pid} ${commandLine.replaceAll('\0', ' ')}`);
  }
  return found;
}

/** A process that ended between the listing and the look. */
function whenGone(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
  throw error;
}
