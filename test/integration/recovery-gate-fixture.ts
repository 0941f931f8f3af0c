import type { Pool, PoolClient } from 'pg';
import { grantApplicationRole } from '../../core/local-stack';
import type { FreezeSpec, GateTable } from '../../core/recovery/gate';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

/** Tables of each sort that the gate treats differently, two tenants in them, and the role of application-role.sql. */
export interface GateFixture {
  readonly postgres: RealPostgres;
  /** Role `chronawflow`: all that the gate does. */
  readonly gate: Pool;
  readonly superuser: Pool;
  /** Role `app`: an ordinary client without ownership of the tables. */
  readonly app: Pool;
  readonly tables: readonly GateTable[];
  spec(restoreId: string, changes?: Partial<FreezeSpec>): FreezeSpec;
  /** Writes the restore's record, which the gate row refers to. */
  openRestore(restoreId: string, tenant?: string): Promise<void>;
  /** Names of the gate's triggers and functions that are in the database. */
  leftovers(): Promise<string[]>;
  /** Takes away every gate and ends the restores, whatever a test left. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

const SCHEMA = `
create role app login;
create table organisations (id text primary key, name text not null);
create table "Invoices" (
  id int8 primary key, "tenantId" text references organisations on delete cascade, amount numeric not null default 0);
create table lines (id int8 primary key, invoice_id int8 references "Invoices" on delete cascade, note text);
create table journal (id int8 not null, tenant text not null, year int not null, note text, primary key (id, year))
  partition by list (year);
create table journal_2025 partition of journal for values in (2025);
create table journal_2026 partition of journal for values in (2026);
create table documents (id int8 primary key, body jsonb not null, tenant text generated always as (body ->> 'tenant') stored);
insert into organisations values ('acme', 'Acme'), ('other', 'Other');
insert into "Invoices" values (1, 'acme', 10), (2, 'other', 20), (3, 'acme', 30);
insert into lines values (1, 1, 'a'), (2, 2, 'b');
insert into journal values (1, 'acme', 2025, 'a'), (2, 'other', 2025, 'b'), (3, 'acme', 2026, 'c');
insert into documents (id, body) values (1, '{"tenant": "acme"}'), (2, '{"tenant": "other"}');
grant all on all tables in schema public to app;
grant create on schema public to app;`;

/** What slice/ builds for a table whose rows belong to the tenant of their invoice. */
export const linesLookup = (tenant: string) => (row: 'old' | 'new') =>
  `exists (select from public."Invoices" ${row}p where ${row}p.id = ${row}."invoice_id" and ${row}p."tenantId" = '${tenant}'::text)`;

const column = (name: string, of: string): GateTable => ({
  schema: 'public',
  name,
  condition: { kind: 'column', column: of, type: 'text' },
});

const TABLES: readonly GateTable[] = [
  column('organisations', 'id'),
  column('Invoices', 'tenantId'),
  { schema: 'public', name: 'lines', condition: { kind: 'lookup', sql: linesLookup('acme') } },
  column('journal', 'tenant'),
  column('documents', 'tenant'),
];

export async function startGateFixture(
  settings: Readonly<Record<string, string | number | boolean>> = {},
): Promise<GateFixture> {
  const postgres = await startPostgres({ settings: { max_prepared_transactions: 5, ...settings } });
  try {
    const superuser = postgres.connect('postgres');
    await superuser.query('create role chronawflow login bypassrls');
    await superuser.query(SCHEMA);
    await grantApplicationRole(superuser);
    const gate = postgres.connect('postgres', 'chronawflow', 8);
    await applyMigrations(gate, 'application');
    return {
      postgres,
      gate,
      superuser,
      app: postgres.connect('postgres', 'app', 16),
      tables: TABLES,
      spec: (restoreId, changes = {}) => ({
        restoreId,
        tenant: 'acme',
        tables: TABLES,
        untilMs: 600_000,
        lockTimeoutMs: 300,
        attempts: 3,
        ...changes,
      }),
      openRestore: async (restoreId, tenant = 'acme') => {
        await gate.query(
          `insert into chronawflow.restore (id, kind, tenant, workflow_id, state) values ($1, 'restore', $2, $1, 'active')`,
          [restoreId, tenant],
        );
      },
      leftovers: async () => leftovers(superuser),
      reset: async () => {
        for (const { name } of await gateFunctions(superuser)) {
          await superuser.query(`drop function chronawflow.${name}() cascade`);
        }
        await superuser.query('delete from chronawflow.gate');
        await superuser.query('delete from chronawflow.restore');
      },
      stop: () => postgres.stop(),
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function gateFunctions(pool: Pool): Promise<{ name: string }[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select quote_ident(proname) as name from pg_proc where pronamespace = 'chronawflow'::regnamespace`,
  );
  return rows;
}

async function leftovers(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select proname as name from pg_proc where pronamespace = 'chronawflow'::regnamespace
     union all select tgname || ' on ' || tgrelid::regclass from pg_trigger where tgname like 'chronawflow%' order by 1`,
  );
  return rows.map((row) => row.name);
}

/** Runs the steps on one connection in a transaction that stays open until the returned function ends it. */
export async function openTransaction(
  pool: Pool,
  statements: readonly string[],
  isolation = 'read committed',
): Promise<{
  readonly client: PoolClient;
  readonly pid: number;
  end(how?: 'commit' | 'rollback'): Promise<void>;
}> {
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await client.query(`begin isolation level ${isolation}`);
  for (const statement of statements) await client.query(statement);
  return {
    client,
    pid: rows[0]?.pid ?? 0,
    end: async (how = 'rollback') => {
      await client.query(how);
      client.release();
    },
  };
}

/** The SQLSTATE that the statement fails with, or 'ok'. */
export async function outcome(pool: Pick<Pool, 'query'>, statement: string): Promise<string> {
  try {
    await pool.query(statement);
    return 'ok';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}
