import { randomUUID } from 'node:crypto';
import { type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { type Action, type Grant, type SignedIntent, signIntent } from '../../core/operators';
import { approvalParameters, intentParameters } from '../../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../../core/recovery/restore-id';
import type { TenantRestoreInput } from '../../core/recovery/types';
import { ADVISORY_LOCKS } from '../../database';
import { failureCode } from '../support/failure-code';
import { completeInItsPlace } from '../support/forged-completion';
import { until } from '../support/until';
import { CANARY, SignedScene } from './support/signed-scene';
import { type Ground, startGround } from './support/workflow-run';

/**
 * Whoever has Temporal and no key: he may start runs, send updates, complete activities, reset and terminate. None of it changes
 * a row (core/operators/README.md, invariants 4 and 5).
 */

const requester: readonly Grant[] = [{ role: 'requester' }];
const approver: readonly Grant[] = [{ role: 'approver' }];
const TO = '2026-11-23T10:15:00Z';
const HOUR_MS = 3_600_000;

let ground: Ground;
let scene: SignedScene;

beforeAll(async () => {
  ground = await startGround();
}, 120_000);
afterAll(() => ground?.stop());
afterEach(() => scene?.end());

async function begin(
  people: Readonly<Record<string, readonly Grant[]>> = { ada: requester, grace: approver, hopper: approver },
  fourEyes?: Readonly<Record<string, number>>,
): Promise<SignedScene> {
  scene = new SignedScene(ground, people, fourEyes);
  await scene.begin();
  return scene;
}

function sign(
  name: string,
  action: Action,
  parameters: Readonly<Record<string, unknown>>,
  { tenant = scene.tenant, lifetimeMs = HOUR_MS } = {},
): Promise<SignedIntent> {
  return signIntent(
    ground.platform,
    scene.signer(name),
    { action, operator: name, tenant, parameters },
    lifetimeMs,
  );
}

/** A run that ada has asked for, started without the SDK; `change` is what somebody does to the input on its way. */
async function start(change: Partial<TenantRestoreInput> = {}, options: { lifetimeMs?: number } = {}) {
  const request = randomUUID();
  const workflowId = `restore/${scene.tenant}/${request}`;
  const asked: TenantRestoreInput = { tenant: scene.tenant, to: TO, requestedBy: 'ada' };
  const intent = await sign('ada', 'recovery.restore', intentParameters(workflowId, asked), options);
  return scene.restore({ ...asked, intent, ...change }, request);
}

const approvalOf = async (handle: WorkflowHandle, name: string, diffHash = 'hash-1') => ({
  diffHash,
  as: name,
  intent: await sign(name, 'recovery.approve', approvalParameters(restoreIdFor(handle.workflowId), diffHash)),
});

const approve = async (handle: WorkflowHandle, name: string, diffHash?: string) =>
  handle.executeUpdate('approve', { args: [await approvalOf(handle, name, diffHash)] });

async function refusals(): Promise<readonly unknown[]> {
  const { rows } = await ground.platform.query<{ outcome: string }>(
    `select outcome from chronawflow.audit_event where action = 'operators.intent-refused' and (tenant = $1 or tenant is null) order by at`,
    [scene.tenant],
  );
  return rows.map(({ outcome }) => outcome);
}

function nothingChanged(): void {
  expect(scene.engine.merges()).toBe(0);
  expect(scene.leftovers()).toEqual([]);
}

test('a restore is asked for, approved and merged by keys, and every use of one is in the audit log', async () => {
  await begin();
  const run = await (await scene.as('ada')).recovery.restoreTenant({ tenant: scene.tenant, to: TO });
  const preview = await run.preview();
  const reviewed = (await scene.as('grace')).recovery.run(run.workflowId);
  await expect(reviewed.approve({ diffHash: preview.diffHash })).resolves.toMatchObject({ missing: 0 });
  const report = await run.result();
  expect(report).toMatchObject({ outcome: 'merged', requestedBy: 'ada', approvedBy: ['grace'] });
  expect(scene.leftovers()).toEqual([]);
  const { rowCount: read } = await ground.platform.query(
    `select from chronawflow.audit_event where action = 'preview.read' and tenant = $1 and object = $2`,
    [scene.tenant, run.workflowId],
  );
  expect(read).toBe(1);
  const { rows } = await ground.platform.query(
    `select actor, object, request from chronawflow.audit_event where action = 'operators.intent-used' and tenant = $1 order by at`,
    [scene.tenant],
  );
  expect(rows).toEqual([
    { actor: 'ada', object: 'recovery.restore', request: report.restoreId },
    { actor: 'grace', object: 'recovery.approve', request: report.restoreId },
  ]);
  const history = await ground.client.workflow.getHandle(run.workflowId).fetchHistory();
  const texts = [...JSON.stringify(history).matchAll(/"data":"([^"]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  expect(texts.some((text) => text.includes('recovery.approve'))).toBe(true);
  expect(texts.filter((text) => text.includes(CANARY))).toEqual([]);
  const { rows: used } = await ground.platform.query(
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
  const run = await (await scene.as('ada')).recovery.restoreTenant({ tenant: scene.tenant, to: TO });
  await run.preview();
  await (await scene.as('grace')).recovery.run(run.workflowId).reject({ reason: 'wrong tenant' });
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
    const { rows } = await ground.platform.query(
      `select outcome from chronawflow.audit_event where action = 'restore.request' and tenant = $1`,
      [scene.tenant],
    );
    expect(rows).toEqual([{ outcome: code }]);
  });

  test('with an intent that has expired is refused', async () => {
    await begin();
    const handle = await start({}, { lifetimeMs: 0 });
    await expect(failureCode(handle.result())).resolves.toBe('INTENT_EXPIRED');
    nothingChanged();
    await expect(refusals()).resolves.toEqual(['INTENT_EXPIRED']);
  });

  test('with an intent that was signed for another run is refused', async () => {
    await begin();
    const asked: TenantRestoreInput = { tenant: scene.tenant, to: TO, requestedBy: 'ada' };
    const intent = await sign(
      'ada',
      'recovery.restore',
      intentParameters(`restore/${scene.tenant}/one`, asked),
    );
    const handle = await scene.restore({ ...asked, intent }, 'two');
    await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
    nothingChanged();
  });

  test('by somebody whose role is for another tenant, or who was revoked, is refused', async () => {
    await begin({ ada: [{ role: 'requester', tenants: ['somebody-else'] }], grace: approver });
    await expect(failureCode((await start()).result())).resolves.toBe('INTENT_OUT_OF_SCOPE');
    await (await scene.as('root')).operators.revoke('ada', 'left');
    await expect(failureCode((await start()).result())).resolves.toBe('OPERATOR_REVOKED');
    nothingChanged();
    await expect(refusals()).resolves.toEqual(['INTENT_OUT_OF_SCOPE', 'OPERATOR_REVOKED']);
  });
});

describe('an approval', () => {
  test('that nobody has signed is refused before it is in the history', async () => {
    await begin();
    const handle = await start();
    await scene.awaitingApproval(handle);
    const plain = handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
    await expect(plain).rejects.toBeInstanceOf(WorkflowUpdateFailedError);
    await expect(failureCode(plain)).resolves.toBe('INTENT_MISSING');
  });

  test('of another hash, of another restore, in another name or by a requester does not count', async () => {
    await begin();
    const handle = await start();
    await scene.awaitingApproval(handle);
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
    const { approval } = await scene.awaitingApproval(handle);
    expect(approval.approvedBy).toEqual([]);
  });

  test('that is sent a second time counts once, also in another name', async () => {
    await begin(undefined, { restore: 2 });
    const handle = await start();
    await scene.awaitingApproval(handle);
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

test('a forged result of the activity that verifies an approval gains nothing: the merge verifies for itself', async () => {
  await begin();
  const handle = await start();
  await scene.awaitingApproval(handle);
  // Verification waits for the registry, and so the attacker is faster.
  const holder = await ground.platform.connect();
  try {
    await holder.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    const stolen = await sign('ada', 'recovery.restore', { any: 'thing' });
    const update = await handle.startUpdate('approve', {
      args: [{ diffHash: 'hash-1', as: 'grace', intent: stolen }],
      waitForStage: 'ACCEPTED',
    });
    await complete(handle, 'verifyDecision', undefined);
    await expect(update.result()).resolves.toMatchObject({ approvedBy: ['grace'], missing: 0 });
  } finally {
    await holder.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    holder.release();
  }
  await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
  nothingChanged();
});

test('somebody who is revoked between his approval and the merge has not approved it', async () => {
  await begin();
  const hold = scene.engine.hold('merge');
  const handle = await start();
  await scene.awaitingApproval(handle);
  await approve(handle, 'grace');
  await hold.reached;
  await (await scene.as('root')).operators.revoke('grace', 'laptop stolen');
  hold.release();
  await expect(failureCode(handle.result())).resolves.toBe('OPERATOR_REVOKED');
  nothingChanged();
  await expect(refusals()).resolves.toEqual(['OPERATOR_REVOKED']);
});

test('a reset to after the approval repeats the merge’s own check, and finds the revocation', async () => {
  await begin();
  const hold = scene.engine.hold('merge');
  const handle = await start();
  await scene.awaitingApproval(handle);
  await approve(handle, 'grace');
  await hold.reached;
  await (await scene.as('root')).operators.revoke('grace');
  const { events = [] } = await handle.fetchHistory();
  const scheduled = events?.findLast(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'mergeSlice',
  );
  const decided = scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId;
  const { runId } = await ground.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    workflowTaskFinishEventId: decided,
    reason: 'mallory',
    requestId: randomUUID(),
  });
  hold.release();
  const again = ground.client.workflow.getHandle(handle.workflowId, runId);
  await expect(failureCode(again.result())).resolves.toBe('OPERATOR_REVOKED');
  nothingChanged();
});

test('a reset of a rejected restore to before its rejection finds the restore closed', async () => {
  await begin();
  const handle = await start();
  await scene.awaitingApproval(handle);
  const intent = await sign('grace', 'recovery.reject', {
    restoreId: restoreIdFor(handle.workflowId),
    reason: 'no',
  });
  await handle.executeUpdate('reject', { args: [{ as: 'grace', reason: 'no', intent }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'rejected' });
  const { events = [] } = await handle.fetchHistory();
  const accepted = events?.find((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null);
  const before = events?.findLast(
    (event) =>
      event.workflowTaskCompletedEventAttributes != null &&
      Number(event.eventId) < Number(accepted?.eventId) - 1,
  );
  const { runId } = await ground.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    workflowTaskFinishEventId: before?.eventId,
    reason: 'mallory',
    requestId: randomUUID(),
    // UPDATE: the rejection is left out.
    resetReapplyExcludeTypes: [2],
  });
  const again = ground.client.workflow.getHandle(handle.workflowId, runId);
  await scene.awaitingApproval(again);
  await approve(again, 'hopper');
  await expect(failureCode(again.result())).resolves.toBe('RESTORE_CLOSED');
  expect(scene.engine.merges()).toBe(0);
});

test('a termination after the freeze leaves the tenant frozen only until a worker has seen it', async () => {
  scene = new SignedScene(ground, { ada: requester, grace: approver });
  scene.orphansEveryMs = 200;
  await scene.begin();
  const handle = await start();
  await scene.awaitingApproval(handle);
  expect(scene.engine.frozen.has(scene.tenant)).toBe(true);
  await handle.terminate('mallory');
  await until(() => scene.leftovers().every((left) => left.startsWith('scratch:')), {
    what: 'the tenant to be let go',
  });
  expect(scene.engine.merges()).toBe(0);
  const { rows } = await ground.platform.query(
    `select actor, outcome from chronawflow.audit_event where action = 'release.request' and tenant = $1`,
    [scene.tenant],
  );
  expect(rows).toEqual([{ actor: 'chronawflow', outcome: 'ok' }]);
});

const complete = (handle: WorkflowHandle, step: string, result: unknown) =>
  completeInItsPlace(ground.client, handle, step, result);

test('a forged target is not staged: each step takes what was written down, and that is what was signed', async () => {
  await begin(undefined, { restore: 0 });
  const hold = scene.engine.hold('resolveTarget');
  const handle = await start();
  await hold.reached;
  await complete(handle, 'resolveTarget', {
    kind: 'time',
    value: '2020-01-01 00:00:00+00',
    timeline: 1,
    backupLabel: '20200101-000000F',
    firstSegment: '000000010000000000000001',
    fenceSegment: '000000010000000000000007',
    fenceToken: 'fence',
    systemId: '7000000000000000000',
  });
  await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
  hold.release();
  expect(scene.engine.calls).not.toContain('stageSlice');
  expect(scene.engine.merges()).toBe(0);
});

describe('a restored cluster', () => {
  const into = '/var/lib/restored';
  const clusterRun = (input: object) =>
    ground.client.workflow.start('clusterRestore', {
      workflowId: `restore-cluster/${randomUUID()}`,
      taskQueue: scene.taskQueue,
      args: [{ to: TO, into, requestedBy: 'ada', ...input }],
    });

  test('is made for who has signed for it, for all of the platform', async () => {
    await begin();
    const run = await (await scene.as('ada')).recovery.restoreCluster({ to: TO, into });
    await expect(run.result()).resolves.toMatchObject({ outcome: 'restored', into });
  });

  test('is not made without an intent, by another’s, or for one tenant’s requester', async () => {
    await begin({ ada: [{ role: 'requester', tenants: ['acme'] }] });
    await expect(failureCode((await clusterRun({})).result())).resolves.toBe('INTENT_MISSING');
    const run = (await scene.as('ada')).recovery.restoreCluster({ to: TO, into });
    await expect(failureCode(run.then((started) => started.result()))).resolves.toBe('INTENT_OUT_OF_SCOPE');
    expect(await refusals()).toContain('INTENT_MISSING');
  });
});
