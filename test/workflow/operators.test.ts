import { randomUUID } from 'node:crypto';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { approvalParameters, intentParameters } from '../../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../../core/recovery/restore-id';
import type { TenantRestoreInput } from '../../core/recovery/types';
import { failureCode } from '../support/failure-code';
import { APPROVER as approver, TO, useSignedRestores } from './support/signed-restores';
import { CANARY } from './support/signed-scene';

/** Who may have a tenant restored, and who has agreed to it, is told by keys (core/operators/README.md, invariants 4 and 5). */

const at = useSignedRestores();
const { begin, sign, start, approvalOf, approve, refused, refusals, nothingChanged } = at;

test('a restore is asked for, approved and merged by keys, and every use of one is in the audit log', async () => {
  await begin();
  const run = await (await at.scene.as('ada')).recovery.restoreTenant({ tenant: at.scene.tenant, to: TO });
  const preview = await run.preview();
  const reviewed = (await at.scene.as('grace')).recovery.run(run.workflowId);
  await expect(reviewed.approve({ diffHash: preview.diffHash })).resolves.toMatchObject({ missing: 0 });
  const report = await run.result();
  expect(report).toMatchObject({ outcome: 'merged', requestedBy: 'ada', approvedBy: ['grace'] });
  expect(at.scene.leftovers()).toEqual([]);
  const { rowCount: read } = await at.ground.platform.query(
    `select from chronawflow.audit_event where action = 'preview.read' and tenant = $1 and object = $2`,
    [at.scene.tenant, run.workflowId],
  );
  expect(read).toBe(1);
  const { rows } = await at.ground.platform.query(
    `select actor, object, request, run from chronawflow.audit_event where action = 'operators.intent-used' and tenant = $1 order by at`,
    [at.scene.tenant],
  );
  const execution = at.ground.client.workflow.getHandle(run.workflowId);
  const asked = { request: report.restoreId, run: (await execution.describe()).runId };
  expect(rows).toEqual([
    { actor: 'ada', object: 'recovery.restore', ...asked },
    { actor: 'grace', object: 'recovery.approve', ...asked },
  ]);
  const history = await execution.fetchHistory();
  const texts = [...JSON.stringify(history).matchAll(/"data":"([^"]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  expect(texts.some((text) => text.includes('recovery.approve'))).toBe(true);
  expect(texts.filter((text) => text.includes(CANARY))).toEqual([]);
  const { rows: used } = await at.ground.platform.query(
    'select operator, action from chronawflow.used_intent where owner = $1 order by at',
    [report.restoreId],
  );
  expect(used).toEqual([
    { operator: 'ada', action: 'recovery.restore' },
    { operator: 'grace', action: 'recovery.approve' },
  ]);
});

test('a rejection is signed as well', async () => {
  await begin();
  const run = await (await at.scene.as('ada')).recovery.restoreTenant({ tenant: at.scene.tenant, to: TO });
  await run.preview();
  await (await at.scene.as('grace')).recovery.run(run.workflowId).reject({ reason: 'wrong tenant' });
  await expect(run.result()).resolves.toMatchObject({ outcome: 'rejected' });
  nothingChanged();
});

describe('a run that is started around the command line', () => {
  test.each([
    ['without an intent', { intent: undefined }, 'INTENT_MISSING'],
    ['to another target than was signed', { to: '2026-11-23T09:00:00Z' }, 'INTENT_MISMATCH'],
    ['with more than was signed', { allowEmpty: true }, 'INTENT_MISMATCH'],
    ['in another name than signed', { requestedBy: 'grace' }, 'INTENT_MISMATCH'],
    ['with fewer approvals than the policy', { approvals: 0 as const }, 'APPROVALS_BELOW_POLICY'],
  ])('%s is refused', async (_, change, code) => {
    await begin();
    const handle = await start(change);
    await expect(failureCode(handle.result())).resolves.toBe(code);
    nothingChanged();
    const { rows } = await at.ground.platform.query(
      `select outcome from chronawflow.audit_event where action = 'restore.request' and tenant = $1`,
      [at.scene.tenant],
    );
    expect(rows).toEqual([{ outcome: code }]);
  });

  test('with an intent that has expired is refused', async () => {
    await begin();
    const handle = await start({}, { lifetimeMs: 0 });
    await expect(failureCode(handle.result())).resolves.toBe('INTENT_EXPIRED');
    nothingChanged();
    const { runId: run } = await handle.describe();
    await expect(refused()).resolves.toEqual([{ outcome: 'INTENT_EXPIRED', run }]);
  });

  test('with an intent that was signed for another run is refused', async () => {
    await begin();
    const asked: TenantRestoreInput = { tenant: at.scene.tenant, to: TO, requestedBy: 'ada' };
    const intent = await sign(
      'ada',
      'recovery.restore',
      intentParameters(`restore/${at.scene.tenant}/one`, asked),
    );
    const handle = await at.scene.restore({ ...asked, intent }, 'two');
    await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
    nothingChanged();
  });

  test('by somebody whose role is for another tenant, or who was revoked, is refused', async () => {
    await begin({ ada: [{ role: 'requester', tenants: ['somebody-else'] }], grace: approver });
    await expect(failureCode((await start()).result())).resolves.toBe('INTENT_OUT_OF_SCOPE');
    await (await at.scene.as('root')).operators.revoke('ada', 'left');
    await expect(failureCode((await start()).result())).resolves.toBe('OPERATOR_REVOKED');
    nothingChanged();
    await expect(refusals()).resolves.toEqual(['INTENT_OUT_OF_SCOPE', 'OPERATOR_REVOKED']);
  });
});

describe('an approval', () => {
  test('that nobody has signed is refused before it is in the history', async () => {
    await begin();
    const handle = await start();
    await at.scene.awaitingApproval(handle);
    const plain = handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
    await expect(plain).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    await expect(failureCode(plain)).resolves.toBe('INTENT_MISSING');
  });

  test('of another hash, of another restore, in another name or by a requester does not count', async () => {
    await begin();
    const handle = await start();
    await at.scene.awaitingApproval(handle);
    const send = (approval: object) => failureCode(handle.executeUpdate('approve', { args: [approval] }));
    const good = await approvalOf(handle, 'grace');
    const elsewhere = await sign(
      'grace',
      'recovery.approve',
      approvalParameters(restoreIdFor('another'), 'hash-1'),
    );
    await expect(send({ ...good, intent: elsewhere })).resolves.toBe('INTENT_MISMATCH');
    await expect(
      send({ ...good, intent: (await approvalOf(handle, 'grace', 'hash-2')).intent }),
    ).resolves.toBe('INTENT_MISMATCH');
    await expect(send({ ...good, as: 'hopper' })).resolves.toBe('INTENT_MISMATCH');
    const own = await sign(
      'ada',
      'recovery.approve',
      approvalParameters(restoreIdFor(handle.workflowId), 'hash-1'),
    );
    await expect(send({ ...good, as: 'Mallory', intent: own })).resolves.toBe('INTENT_OUT_OF_SCOPE');
    const { approval } = await at.scene.awaitingApproval(handle);
    expect(approval.approvedBy).toEqual([]);
  });

  test('that is sent a second time counts once, also in another name', async () => {
    await begin(undefined, { restore: 2 });
    const handle = await start();
    await at.scene.awaitingApproval(handle);
    const good = await approvalOf(handle, 'grace');
    await handle.executeUpdate('approve', { args: [good] });
    await expect(failureCode(handle.executeUpdate('approve', { args: [good] }))).resolves.toBe(
      'ALREADY_APPROVED',
    );
    await expect(
      failureCode(handle.executeUpdate('approve', { args: [{ ...good, as: 'hopper' }] })),
    ).resolves.toBe('INTENT_MISMATCH');
    await approve(handle, 'hopper');
    await expect(handle.result()).resolves.toMatchObject({
      outcome: 'merged',
      approvedBy: ['grace', 'hopper'],
    });
  });
});

describe('a restored cluster', () => {
  const into = '/var/lib/restored';
  const clusterRun = (input: object) =>
    at.ground.client.workflow.start('clusterRestore', {
      workflowId: `restore-cluster/${randomUUID()}`,
      taskQueue: at.scene.taskQueue,
      args: [{ to: TO, into, requestedBy: 'ada', ...input }],
    });

  test('is made for who has signed for it, for all of the platform', async () => {
    await begin();
    const run = await (await at.scene.as('ada')).recovery.restoreCluster({ to: TO, into });
    await expect(run.result()).resolves.toMatchObject({ outcome: 'restored', into });
  });

  test('is not made without an intent, by another’s, or for one tenant’s requester', async () => {
    await begin({ ada: [{ role: 'requester', tenants: ['acme'] }] });
    await expect(failureCode((await clusterRun({})).result())).resolves.toBe('INTENT_MISSING');
    const run = (await at.scene.as('ada')).recovery.restoreCluster({ to: TO, into });
    await expect(failureCode(run.then((started) => started.result()))).resolves.toBe('INTENT_OUT_OF_SCOPE');
    expect(await refusals()).toContain('INTENT_MISSING');
  });
});
