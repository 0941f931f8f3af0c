import type { Pool } from 'pg';
import type { ErasureClient } from '../../client/erasure';
import {
  forwardOutbox,
  generateSigningKey,
  recordAuditEvent,
  verifyDatabase,
  writeOutbox,
} from '../../core/audit';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { verifyErasureReceipt } from '../../core/erasure';
import { ADA, type ErasureLab, useErasureLab } from '../support/erasure-lab';
import type { RealApplication } from '../support/real-application';
import type { SliceLab } from '../support/slice-lab';

/** The invariants are those of core/erasure/README.md. */

const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });

let app: RealApplication;
let world: ErasureLab;
let lab: SliceLab;
let erasure: ErasureClient;
useErasureLab((opened, its) => {
  app = opened;
  world = its;
  ({ slices: lab, erasure } = its);
});

const erase = (subject = ADA) => world.erase(subject);

describe('beside the audit log', () => {
  let n = 0;
  const record = (id: string, subject = ADA) =>
    recordAuditEvent(app.platform, {
      ...{ id, actor: 'grace', action: 'test', tenant: 'a', outcome: 'ok' },
      personal: { subject, data: { name: 'Ada', phone: '1815' } },
    });
  const verify = async () => {
    while ((await sealBatch(owner, signer)).events > 0);
    // What earlier tests had was taken away between them.
    return (await verifyDatabase(owner, key)).violations.filter(
      ({ eventId, problem }) => !problem.includes(' may ') && (eventId === undefined || own.has(eventId)),
    );
  };
  const own = new Set<string>();
  let owner: Pool;
  beforeEach(() => {
    own.clear();
    owner = app.platformCluster.connect('chronawflow', 'postgres', 3);
  });
  afterEach(() => owner.end());
  const id = () => {
    const one = `personal/${++n}/${process.pid}`;
    own.add(one);
    return one;
  };

  test('invariant 6: data and salt go, the log still verifies, and the receipt proves it to the person alone', async () => {
    const [mine, other] = [id(), id()];
    await record(mine);
    await record(other, 'p2');
    expect(await verify()).toEqual([]);
    const report = await erase();
    expect(report.auditEvents).toBe(1);
    expect(report.backupsExpireOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const { rows } = await app.platform.query(
      'select event_id, subject, salt, data from chronawflow.audit_personal where event_id = any ($1) order by subject nulls first',
      [[mine, other]],
    );
    expect(rows).toMatchObject([
      { event_id: mine, subject: null, salt: null, data: null },
      { event_id: other, subject: 'p2', data: '{"name":"Ada","phone":"1815"}' },
    ]);
    expect(await verify()).toEqual([]);
    const receipt: unknown = JSON.parse(await erasure.receipt(report));
    expect(verifyErasureReceipt(receipt, key, [], ADA)).toMatchObject({
      tenant: 'a',
      backupsExpireOn: report.backupsExpireOn,
    });
    expect(() => verifyErasureReceipt(receipt, key, [], 'p2')).toThrow('somebody else');
    expect(JSON.stringify(receipt)).not.toContain('ada@');
  });

  test('the same event again changes nothing of it', async () => {
    const one = id();
    await record(one);
    await record(one, 'p2');
    const { rows } = await app.platform.query(
      'select subject from chronawflow.audit_personal where event_id = $1',
      [one],
    );
    expect(rows).toEqual([{ subject: ADA }]);
  });

  test('an event of the application’s outbox brings its personal data along', async () => {
    await writeOutbox(lab.app.application, [
      {
        actor: 'app',
        action: 'outbox-test',
        tenant: 'a',
        outcome: 'ok',
        personal: { subject: ADA, data: { x: 1 } },
      },
      { actor: 'app', action: 'outbox-test', tenant: 'a', outcome: 'ok' },
    ]);
    await forwardOutbox(lab.app.application, app.platform);
    const { rows } = await app.platform.query<{ id: string; subject: string; data: string }>(
      `select e.id, p.subject, p.data from chronawflow.audit_event e join chronawflow.audit_personal p on p.event_id = e.id where e.action = 'outbox-test'`,
    );
    expect(rows).toMatchObject([{ subject: ADA, data: '{"x":1}' }]);
    for (const row of rows) own.add(row.id);
    expect(await verify()).toEqual([]);
  });

  test('the database refuses every other change, and an erasure under a hold', async () => {
    const one = id();
    await record(one);
    const change = (sql: string, values: unknown[] = [one]) =>
      owner.query(`update chronawflow.audit_personal set ${sql} where event_id = $1`, values);
    await expect(change(`data = '{}'`)).rejects.toThrow('can only be erased');
    await expect(
      owner.query('delete from chronawflow.audit_personal where event_id = $1', [one]),
    ).rejects.toThrow('can only be erased');
    await expect(owner.query('truncate chronawflow.audit_personal')).rejects.toThrow('insert-only');
    await erase('somebody');
    const { rows } = await owner.query<{ id: string }>('select max(id) as id from chronawflow.erasure');
    const gone = 'subject = null, salt = null, data = null, erased_by = $2';
    await expect(change(gone, [one, rows[0]?.id])).rejects.toThrow('registered erasure');
    await erase('p2');
    await erasure.hold({ tenant: 'a', reason: 'x' });
    await owner.query(
      `insert into chronawflow.erasure (tenant, subject_hash, proof_salt, requested_by, reason)
       select 'a', sha256(salt || convert_to($1, 'UTF8')), salt, 'x', 'x' from chronawflow.erasure_salt where tenant = 'a'`,
      [ADA],
    );
    const { rows: own } = await owner.query<{ id: string }>('select max(id) as id from chronawflow.erasure');
    await expect(change(gone, [one, own[0]?.id])).rejects.toThrow('legal hold');
  });

  test.each([
    [
      'changed',
      `update chronawflow.audit_personal set data = '{}' where event_id = $1`,
      'other personal data',
    ],
    ['gone', 'delete from chronawflow.audit_personal where event_id = $1', 'no erasure took it'],
  ])('verify finds personal data that was %s by who could switch the guard off', async (_, sql, problem) => {
    const one = id();
    await record(one);
    const guard = 'alter table chronawflow.audit_personal';
    await owner.query(`${guard} disable trigger audit_personal_only_erase`);
    await owner.query(sql, [one]);
    await owner.query(`${guard} enable always trigger audit_personal_only_erase`);
    expect(await verify()).toContainEqual(
      expect.objectContaining({ eventId: one, problem: expect.stringContaining(problem) }),
    );
    await owner.query(`${guard} disable trigger audit_personal_only_erase`);
    await owner.query('delete from chronawflow.audit_personal where event_id = $1', [one]);
    await owner.query(`${guard} enable always trigger audit_personal_only_erase`);
  });
});
