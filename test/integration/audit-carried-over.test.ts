import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { formatReceipt, proveEvent, recordAuditEvent, verifyReceipt } from '../../core/audit';
import { readLogs, StoredLog } from '../../core/audit/log';
import { tilesOfLevel } from '../../core/audit/merkle';
import { generateSigningKey } from '../../core/audit/note';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { verifyDatabase } from '../../core/audit/verify';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

/** What was sealed as a row for each entry, before 020-audit-bundle.sql, is the same log after it. */

const FIRST_WITH_BUNDLES = '020-audit-bundle.sql';
const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });

let postgres: RealPostgres;
beforeAll(async () => {
  // An analysis that runs just then would keep events from being sealed.
  postgres = await startPostgres({ settings: { autovacuum: false } });
});
afterAll(() => postgres?.stop());

/** A database as a release before left it, with what `sealed` holds. */
async function earlierRelease(name: string, sealed: Pool): Promise<Pool> {
  const old = await postgres.createDatabase(name);
  const directory = join(__dirname, '../../database/migrations/platform');
  await old.query(
    'create schema chronawflow; create table chronawflow.migration (name text primary key, applied_at timestamptz not null default now())',
  );
  for (const file of (await readdir(directory)).sort()) {
    if (file >= FIRST_WITH_BUNDLES) break;
    await old.query(await readFile(join(directory, file), 'utf8'));
    await old.query('insert into chronawflow.migration (name) values ($1)', [file]);
  }
  await old.query('delete from chronawflow.audit_seal');
  await copy(
    sealed,
    old,
    'audit_event',
    'id, at, actor, action, tenant, object, outcome, reason, request, details, xid',
  );
  await copy(sealed, old, 'audit_log', 'id, kind, tenant, origin, size, edge');
  await copy(sealed, old, 'audit_subtree', 'log, level, index, hash');
  await copy(sealed, old, 'audit_checkpoint', 'log, size, note, sealed_at');
  await copy(sealed, old, 'audit_seal', 'only_row, xid, at, id');
  for (const facts of await readLogs(sealed)) {
    const log = new StoredLog(sealed, facts);
    const entries: Buffer[] = [];
    for (const { index, width } of tilesOfLevel(0, facts.size))
      entries.push(...(await log.bundle(index, width)).entries);
    await old.query(
      `insert into chronawflow.audit_entry (log, index, entry, event_id)
       select $1, n - 1, e, case when $3 then null else convert_from(e, 'UTF8')::jsonb->>'id' end
         from unnest($2::bytea[]) with ordinality u (e, n)`,
      [facts.id, entries, facts.kind === 'platform'],
    );
  }
  return old;
}

async function copy(from: Pool, to: Pool, table: string, columns: string): Promise<void> {
  const { rows } = await from.query<{ all: unknown }>(
    `select coalesce(jsonb_agg(t), '[]') as all from (select ${columns} from chronawflow.${table}) t`,
  );
  await to.query(
    `insert into chronawflow.${table} (${columns}) overriding system value
     select ${columns} from jsonb_populate_recordset(null::chronawflow.${table}, $1)`,
    [JSON.stringify(rows[0]?.all)],
  );
}

async function sealedDatabase(name: string): Promise<Pool> {
  const pool = await postgres.createDatabase(name);
  await applyMigrations(pool, 'platform');
  for (let i = 0; i < 600; i += 1) {
    const tenant = i % 6 === 0 ? {} : { tenant: i % 3 === 0 ? 'beta' : 'acme' };
    // What an array of texts would have to quote.
    const id = `e${i} "\\{},'`;
    await recordAuditEvent(pool, { id, actor: 'ada', action: 'test', outcome: 'ok', ...tenant });
    if (i % 100 === 99) await sealBatch(pool, signer);
  }
  return pool;
}

test('an earlier release’s log is carried over: it verifies, proves, and grows', async () => {
  const sealed = await sealedDatabase('sealed');
  const before = await verifyDatabase(sealed, key);
  const platform = await earlierRelease('carried', sealed);
  await applyMigrations(platform, 'platform');
  const found = await verifyDatabase(platform, key, { earlier: [before.checkpoint ?? ''] });
  expect(found).toMatchObject({ violations: [], entries: 600, checkpoint: before.checkpoint });
  for (const i of [0, 1, 3, 299, 599]) {
    const id = `e${i} "\\{},'`;
    const receipt: unknown = JSON.parse(formatReceipt(await proveEvent(platform, id)));
    expect(verifyReceipt(receipt, key)).toMatchObject({ event: { id } });
  }
  await recordAuditEvent(platform, {
    id: 'new',
    actor: 'ada',
    action: 'test',
    tenant: 'acme',
    outcome: 'ok',
  });
  await sealBatch(platform, signer);
  const grown = await verifyDatabase(platform, key, { earlier: [before.checkpoint ?? ''] });
  expect(grown).toMatchObject({ violations: [], entries: 601 });
});

test('what was tampered with before is found after it', async () => {
  const sealed = await sealedDatabase('sealed_for_eve');
  const platform = await earlierRelease('tampered', sealed);
  await platform.query(`
    alter table chronawflow.audit_entry disable trigger audit_entry_insert_only;
    alter table chronawflow.audit_event disable trigger audit_event_insert_only;
    update chronawflow.audit_entry set entry = 'forged', event_id = null
     where log = (select id from chronawflow.audit_log where tenant = 'beta') and index = 5;
    delete from chronawflow.audit_entry
     where log = (select id from chronawflow.audit_log where tenant = 'acme') and index = 7;
    update chronawflow.audit_entry set entry = '\\xff00ff'
     where log = (select id from chronawflow.audit_log where kind = 'platform') and index = 2;
    delete from chronawflow.audit_event where id like 'e3 %';
    alter table chronawflow.audit_event enable always trigger audit_event_insert_only`);
  await applyMigrations(platform, 'platform');
  const problems = (await verifyDatabase(platform, key)).violations.map(({ problem }) => problem).join('\n');
  expect(problems).toContain('entries/0 has 255 of 256');
  expect(problems).toContain('entries are not those that its checkpoint signs');
  expect(problems).toMatch(/^event e3 .* is gone; it was /m);
  expect(problems).toMatch(/its leaf 2, .* is no checkpoint that is stored/);
});
