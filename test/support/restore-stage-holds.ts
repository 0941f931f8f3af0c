import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PoolClient } from 'pg';
import { PLATFORM } from '../../core/local-stack';
import { quoteIdentifier } from '../../database';
import type { RealApplication } from './real-application';
import type { RestoreStage } from './restore-stage';
import { until } from './until';

/**
 * Stops restores at chosen places from outside, so that a fault can hit each of them there: nothing in the product
 * knows about it.
 */
export interface Hold {
  /** Resolves when the restore stands there. */
  readonly reached: () => Promise<void>;
  readonly release: () => Promise<void>;
}

const REACH_LIMIT_MS = 120_000;

/**
 * At the end of a step: its work is done, and its event is about to enter the audit log; the workflow knows nothing yet.
 * The action is the audit log's, such as `restore.stage`.
 *
 * @param whose the tenant, or for a restore of the cluster its restore ID.
 */
export async function holdAfter(stage: RestoreStage, whose: string, action: string): Promise<Hold> {
  return platformHold(stage, whose, action);
}

/** At the beginning of a phase: the journal is about to say so, nothing of the step is done. */
export async function holdBefore(stage: RestoreStage, tenant: string, phase: string): Promise<Hold> {
  return platformHold(stage, tenant, phase);
}

const INSTALL = `
create function public.stand_at(tenant text, place text) returns void language sql as
$$ select pg_advisory_xact_lock_shared(hashtext(tenant), hashtext(place)) $$;
create function public.stand_after_step() returns trigger language plpgsql as
$$ begin perform public.stand_at(coalesce(new.tenant, new.object), new.action); return new; end $$;
create function public.stand_before_phase() returns trigger language plpgsql as
$$ begin perform public.stand_at(new.tenant, new.phase); return new; end $$;
create trigger stand_after_step before insert on chronawflow.audit_event
  for each row execute function public.stand_after_step();
create trigger stand_before_phase before update of phase on chronawflow.restore
  for each row execute function public.stand_before_phase()`;

/** Needed once before the first {@link holdAfter} or {@link holdBefore}. */
export async function installHolds({ app }: Pick<RestoreStage, 'app'>): Promise<void> {
  const platform = app.platformCluster.connect(PLATFORM.database, undefined, 1);
  await platform.query(INSTALL);
  await platform.end();
}

async function platformHold({ app }: RestoreStage, tenant: string, place: string): Promise<Hold> {
  const pool = app.platformCluster.connect(PLATFORM.database, undefined, 2);
  const client = await pool.connect();
  const key = 'hashtext($1), hashtext($2)';
  await client.query(`select pg_advisory_lock(${key})`, [tenant, place]);
  return {
    reached: () =>
      until(
        async () => {
          const { rowCount } = await pool.query(
            `select from pg_locks where locktype = 'advisory' and not granted
               and classid = hashtext($1)::oid and objid = hashtext($2)::oid`,
            [tenant, place],
          );
          return (rowCount ?? 0) > 0;
        },
        { limitMs: REACH_LIMIT_MS, what: `a restore of ${tenant} at ${place}` },
      ),
    release: async () => {
      await client.query(`select pg_advisory_unlock(${key})`, [tenant, place]);
      client.release();
      await pool.end();
    },
  };
}

export interface TransactionHold extends Hold {
  readonly client: PoolClient;
  /** Resolves when nobody waits for it any more. */
  readonly left: () => Promise<void>;
}

/**
 * In the middle of a step: a transaction of the test that is in the way in the application's database. Reached when a
 * session of Chronawflow waits for it.
 */
export async function holdByTransaction(
  { books }: Pick<RestoreStage, 'books'>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<TransactionHold> {
  const client = await books.connect();
  await client.query('begin');
  await client.query(sql, [...values]);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const pid = rows[0]?.pid ?? 0;
  return {
    client,
    reached: () =>
      until(async () => (await waitingFor(books, pid)) > 0, {
        limitMs: REACH_LIMIT_MS,
        what: `a session that waits for: ${sql}`,
      }),
    left: () => until(async () => (await waitingFor(books, pid)) === 0, { limitMs: REACH_LIMIT_MS }),
    release: async () => {
      await client.query('rollback');
      client.release();
    },
  };
}

async function waitingFor(books: RestoreStage['books'], pid: number): Promise<number> {
  const { rowCount } = await books.query(
    `select from pg_stat_activity where usename = 'chronawflow' and $1 = any (pg_blocking_pids(pid))`,
    [pid],
  );
  return rowCount ?? 0;
}

/** A table of the restore cannot be made while this transaction has made one of that name: the step stands half-way. */
export function holdTableOf(stage: RestoreStage, restoreId: string, table: string): Promise<TransactionHold> {
  return holdByTransaction(stage, `create table chronawflow.${quoteIdentifier(`${restoreId}_${table}`)} ()`);
}

/**
 * A program that does what pgbackrest does and then does not return while a file asks it to stay: `restore` and
 * `archive-get` of one restore can be held when they have done their work.
 */
export async function holdableBackupProgram(app: RealApplication): Promise<string> {
  const directory = join(app.directory, 'holds');
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await chmod(directory, 0o777);
  const program = join(directory, 'pgbackrest');
  await writeFile(program, script(app.repository.program, directory), { mode: 0o755 });
  return program;
}

/** `data` is scratch/<restore>/data, from the argument that every command on a scratch cluster has. */
function script(real: string, directory: string): string {
  return `#!/bin/sh
restore= command=
for argument in "$@"; do
  case "$argument" in
    --pg1-path=*) data="\${argument#--pg1-path=}"; root="\${data%/data}"; restore="\${root##*/}" ;;
    restore|archive-get) command="$argument" ;;
  esac
done
"${real}" "$@"
code=$?
hold="${directory}/hold-$command-$restore"
if [ -e "$hold" ]; then : > "${directory}/stands-$command-$restore"; fi
while [ -e "$hold" ]; do sleep 0.05; done
exit $code
`;
}

export async function holdBackupProgram(
  { app }: Pick<RestoreStage, 'app'>,
  command: 'restore' | 'archive-get',
  restoreId: string,
): Promise<Hold> {
  const directory = join(app.directory, 'holds');
  const file = join(directory, `hold-${command}-${restoreId}`);
  await writeFile(file, '');
  return {
    reached: () =>
      until(async () => (await readdir(directory)).includes(`stands-${command}-${restoreId}`), {
        limitMs: REACH_LIMIT_MS,
        what: `pgbackrest ${command} of ${restoreId}`,
      }),
    release: () => rm(file),
  };
}
