import { join } from 'node:path';
import type { Pool } from 'pg';
import { AuditImmutabilityManager, exportLogs, proveEvent, recordAuditEvent } from '../../client/audit';
import { generateSigningKey } from '../../core/audit/note';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';

/** The readers of `chronawflow/audit` are recorded as the command line's are. */

const key = generateSigningKey('example.org/audit', 'ed25519');
let postgres: RealPostgres;
let platform: Pool;
let directory: string;
let count = 0;

beforeAll(async () => {
  directory = await throwawayDirectory('audit-reader');
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  if (directory !== undefined) await removeDirectory(directory);
});
beforeEach(async () => {
  platform = await postgres.createDatabase(`reader_${++count}`);
  await applyMigrations(platform, 'platform');
  await recordAuditEvent(platform, { id: 'e1', actor: 'ada', action: 'test', tenant: 'acme', outcome: 'ok' });
  await sealBatch(platform, new LogSigner({ log: key }));
});

async function reads() {
  const { rows } = await platform.query(
    `select actor, action, tenant, object from chronawflow.audit_event where id <> 'e1' order by at`,
  );
  return rows;
}

test('who verifies, exports or proves is an event, and that event is none who reads', async () => {
  const reader = { actor: 'grace' };
  const manager = new AuditImmutabilityManager(platform, key, reader);
  expect(await manager.detectViolations({ tenant: 'acme' })).toEqual([]);
  await exportLogs(platform, key, join(directory, 'recorded'), { ...reader, tenant: 'acme' });
  await proveEvent(platform, 'e1', reader);
  expect(await reads()).toEqual([
    { actor: 'grace', action: 'audit.verify', tenant: 'acme', object: null },
    { actor: 'grace', action: 'audit.export', tenant: 'acme', object: null },
    { actor: 'grace', action: 'audit.prove', tenant: null, object: 'e1' },
  ]);
});

test('it can be switched off, and nothing is shown for what is not there', async () => {
  const manager = new AuditImmutabilityManager(platform, key, { record: false });
  await manager.verifyAuditChainIntegrity();
  await proveEvent(platform, 'e1', { record: false });
  await expect(proveEvent(platform, 'nowhere')).rejects.toMatchObject({ code: 'EVENT_NOT_SEALED' });
  expect(await reads()).toEqual([]);
});

test('nothing is read out to a role that may not record it', async () => {
  await platform.query(`
    create role only_reads login;
    grant usage on schema chronawflow to only_reads;
    grant select on all tables in schema chronawflow to only_reads`);
  const blind = postgres.connect(`reader_${count}`, 'only_reads', 1);
  const refused = { code: 'READ_NOT_RECORDED' };
  await expect(new AuditImmutabilityManager(blind, key).detectViolations()).rejects.toMatchObject(refused);
  await expect(exportLogs(blind, key, join(directory, 'refused'))).rejects.toMatchObject(refused);
  await expect(proveEvent(blind, 'e1')).rejects.toMatchObject(refused);
});
