import { generateKeyPairSync } from 'node:crypto';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { AuditRetentionClient } from '../../client/audit-retention';
import { FourEyes, type SignedRequest } from '../../client/four-eyes';
import { OperatorSigning } from '../../client/operator-signing';
import { OperatorsClient } from '../../client/operators';
import { configSchema } from '../../config';
import { type Signer, signerOfPem } from '../../core/operators';
import { retain } from '../../core/retention';
import { auditRetention } from '../../workers/audit-retention';
import { type RetentionLab, RETENTION_REQUEST as request, useRetentionLab } from '../support/retention-lab';
import { until } from '../support/until';

/** The invariants are those of core/retention/README.md. */

let lab: RetentionLab;
useRetentionLab((opened) => {
  lab = opened;
});

describe('invariant 4: who may', () => {
  const refused = (pool: Pool, sql: string) =>
    expect(pool.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|23001)$/) });

  test('the role that drops cannot decide, and drops nothing that was not decided', async () => {
    await lab.record('acme', 600);
    await refused(
      lab.retainer,
      `insert into chronawflow.audit_retention select id, 256, 256, 'x' from chronawflow.audit_log where tenant = 'acme'`,
    );
    for (const table of ['audit_event', 'audit_bundle', 'audit_personal'])
      await refused(lab.retainer, `delete from chronawflow.${table}`);
    for (const table of ['audit_event', 'audit_checkpoint', 'audit_dropped', 'audit_log', 'legal_hold'])
      await refused(lab.retainer, `truncate chronawflow.${table}`);
    await refused(lab.retainer, `update chronawflow.audit_event set actor = 'eve'`);
    await lab.retainAll();
    // What stays is refused all the same after it.
    for (const table of ['audit_event', 'audit_bundle', 'audit_dropped'])
      await refused(lab.retainer, `delete from chronawflow.${table}`);
    await lab.owner.query('set session_replication_role = replica');
    await refused(lab.owner, 'delete from chronawflow.audit_bundle');
    await lab.owner.query('reset session_replication_role');
    expect(await lab.problems()).toEqual([]);
  });

  test('the running role decides, and drops nothing', async () => {
    await lab.record('acme', 600);
    await expect(
      lab.retaining(() => retain({ platform: lab.platform, retainer: lab.platform }, request)),
    ).rejects.toMatchObject({
      code: '42501',
    });
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 600 });
    await refused(lab.platform, 'delete from chronawflow.audit_retention');
  });

  test('what is younger than audit.retention.keep is not dropped by hand', async () => {
    const config = lab.retentionConfig('30d', '1h');
    const client = new AuditRetentionClient(
      config,
      lab.platform,
      lab.retainer,
      new OperatorSigning(config, lab.platform, undefined),
    );
    await expect(client.retain({ olderThan: 1_000, reason: 'x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await client.retain({ reason: 'x' })).toEqual({ dropped: [], held: [] });
  });
});

test('by configuration, workers drop what is older than audit.retention.keep, and nothing else', async () => {
  await lab.record('acme', 300);
  await lab.withoutTriggers(
    'alter table chronawflow.audit_checkpoint disable trigger audit_checkpoint_insert_only',
    `update chronawflow.audit_checkpoint set sealed_at = sealed_at - interval '2 days'`,
    'alter table chronawflow.audit_checkpoint enable always trigger audit_checkpoint_insert_only',
  );
  await lab.record('beta', 300);
  const retention = auditRetention(lab.retentionConfig('1d', '1s'), lab.platform, pino({ level: 'silent' }));
  await lab.retaining(async () => {
    retention.start();
    try {
      await until(async () => (await lab.rowsOf('acme'))?.events === 44, {
        limitMs: 90_000,
        what: 'acme’s prefix to go',
      });
    } finally {
      await retention.close();
    }
  });
  expect(await lab.rowsOf('beta')).toMatchObject({ events: 300, personal: 6 });
  const found = await lab.verify();
  expect(found.violations).toEqual([]);
  expect(found.dropped).toMatchObject([{ entries: 256, by: 'chronawflow', reason: 'audit.retention.keep' }]);
});

test('where operators sign, it is an administrator’s, with the consent of somebody else', async () => {
  const [root, ada] = ['root', 'ada'].map(() => {
    const { privateKey } = generateKeyPairSync('ed25519');
    return signerOfPem(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  });
  if (root === undefined || ada === undefined) throw new Error('no keys');
  const config = {
    ...lab.retentionConfig('30d', false),
    operators: configSchema.shape.operators.parse({ administrators: { root: root.key.text } }),
  };
  const signing = (signer: Signer) => new OperatorSigning(config, lab.platform, signer);
  await new OperatorsClient(lab.platform, signing(root)).add({
    name: 'ada',
    publicKey: ada.key.text,
    grants: [{ role: 'requester' }, { role: 'approver' }],
  });
  await lab.record('acme', 300);
  const wanted = { olderThan: 31 * 86_400_000, reason: 'policy 7' };
  const client = (signer: Signer) =>
    new AuditRetentionClient(config, lab.platform, lab.retainer, signing(signer));
  await lab.withoutTriggers(
    'alter table chronawflow.audit_checkpoint disable trigger audit_checkpoint_insert_only',
    `update chronawflow.audit_checkpoint set sealed_at = sealed_at - interval '40 days'`,
    'alter table chronawflow.audit_checkpoint enable always trigger audit_checkpoint_insert_only',
  );
  const act = (signer: Signer, signed: SignedRequest, other = {}) =>
    lab.retaining(() => client(signer).retain({ ...wanted, ...other, signed }));
  const signed = await client(root).request(wanted);
  await expect(act(root, signed)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
  const approved = { ...signed, approvals: [await new FourEyes(signing(ada)).approve(signed)] };
  await expect(act(root, approved, { reason: 'another' })).rejects.toMatchObject({ code: 'INTENT_MISMATCH' });
  const hers = await client(ada).request(wanted);
  await expect(act(ada, hers)).rejects.toMatchObject({ kind: 'refused' });
  expect(await lab.rowsOf('acme')).toMatchObject({ events: 300 });
  expect((await act(root, approved)).dropped).toMatchObject([{ tenant: 'acme', entries: 256 }]);
  expect((await lab.verify()).dropped).toMatchObject([{ by: 'root' }]);
});
