import type { Pool } from 'pg';
import { recordAuditEvent } from '../../core/audit';
import { RestoreJournal } from '../../core/recovery/restore-journal';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

let postgres: RealPostgres;
let platform: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
}, 240_000);
afterAll(() => postgres?.stop());

describe('the audit log', () => {
  const event = { id: 'e1', actor: 'ada', action: 'restore.open', tenant: 'acme', outcome: 'ok' };

  test('holds an event once, however often its step is tried, and the first record counts', async () => {
    await Promise.all([recordAuditEvent(platform, event), recordAuditEvent(platform, event)]);
    await recordAuditEvent(platform, { ...event, outcome: 'changed' });
    const { rows } = await platform.query('select actor, outcome, details from chronawflow.audit_event');
    expect(rows).toEqual([{ actor: 'ada', outcome: 'ok', details: {} }]);
  });

  test.each([
    ['update', `update chronawflow.audit_event set actor = 'eve'`],
    ['delete', 'delete from chronawflow.audit_event'],
    ['truncate', 'truncate chronawflow.audit_event'],
  ])('refuses %s, also for a superuser', async (_, statement) => {
    await expect(platform.query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});

describe('the journal of restores', () => {
  const entry = {
    id: 'r0123456789ab',
    kind: 'restore' as const,
    tenant: 'acme',
    workflowId: 'restore/acme/1',
    requestedBy: 'ada',
    reason: undefined,
  };

  test('begins once and shows the tenant’s running restore until it has ended', async () => {
    const journal = new RestoreJournal(platform);
    await journal.begin(entry);
    await journal.enter(entry.id, 'staging');
    // A retry of the first step finds the entry as it is now.
    await expect(journal.begin({ ...entry, requestedBy: 'eve' })).resolves.toMatchObject({
      phase: 'staging',
      requestedBy: 'ada',
    });
    await expect(journal.running('acme')).resolves.toMatchObject({ id: entry.id });
    await expect(journal.running('other')).resolves.toBeUndefined();
    await journal.finish(entry.id, 'merged', { restoreId: entry.id });
    await expect(journal.running('acme')).resolves.toBeUndefined();
    // A late step of a run that has ended does not bring it back.
    await journal.enter(entry.id, 'merging');
    await expect(journal.find(entry.id)).resolves.toMatchObject({ phase: 'done', outcome: 'merged' });
    await expect(journal.findByWorkflow(entry.workflowId)).resolves.toMatchObject({ id: entry.id });
    await expect(journal.recent(5)).resolves.toHaveLength(1);
    await expect(journal.report(entry.id)).resolves.toEqual({ restoreId: entry.id });
  });
});
