import { WorkflowFailedError, type WorkflowHandle, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { RestorePreview } from '../../core/recovery/types';
import { until } from '../support/until';
import { inOrder } from './support/in-order';
import { type Ground, Scene, startGround } from './support/workflow-run';

let ground: Ground;
let scene: Scene;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop());
afterEach(() => scene?.stopWorker());

async function begin(recovery: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  scene = new Scene(ground, recovery);
  await scene.startWorker();
  return scene;
}

/** Code of the failure behind a rejected update or a failed run. */
async function codeOf(promise: Promise<unknown>): Promise<string | null | undefined> {
  try {
    await promise;
  } catch (error) {
    let cause: unknown = error;
    while (cause instanceof Error && !(cause instanceof ApplicationFailure)) cause = cause.cause;
    return cause instanceof ApplicationFailure ? cause.type : String(error);
  }
  return undefined;
}

async function completedSteps(handle: WorkflowHandle): Promise<number> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => event.activityTaskCompletedEventAttributes).length;
}

test('restores after one approval, and leaves nothing behind', async () => {
  await begin();
  const handle = await scene.restore({ reason: 'invoices deleted' });
  const { approval } = await scene.awaitingApproval(handle);
  expect(scene.engine.frozen.has(scene.tenant)).toBe(true);
  const preview = await handle.query<RestorePreview>('preview');
  await handle.executeUpdate('approve', { args: [{ diffHash: preview.diffHash, as: 'grace' }] });
  const report = await handle.result();
  expect(report).toMatchObject({
    outcome: 'merged',
    tenant: scene.tenant,
    approvedBy: ['grace'],
    objectives: { tier: 'gold', rpoMs: 1_500, rpoMet: true, rtoMet: true },
    reach: { latestRestorable: '2026-11-23T10:20:00.000000Z', behindNowMs: 1_500, behindTargetMs: 0 },
  });
  expect(approval).toMatchObject({ needed: 1, diffHash: preview.diffHash });
  expect(report.steps.map((step) => step.phase)).toEqual([
    'starting',
    'resolving',
    'verifying',
    'restoring-scratch',
    'validating',
    'staging',
    'freezing',
    'previewing',
    'awaiting-approval',
    'merging',
    'unfreezing',
    'reporting',
  ]);
  expect(scene.leftovers()).toEqual([]);
  expect(scene.engine.closedAs(report.restoreId)).toBe('merged');

  const { rows } = await ground.platform.query(
    'select phase, outcome, report from chronawflow.restore where id = $1',
    [report.restoreId],
  );
  expect(rows).toMatchObject([{ phase: 'done', outcome: 'merged', report: { approvedBy: ['grace'] } }]);
  const events = await ground.platform.query<{
    action: string;
    actor: string;
    tenant: string;
    outcome: string;
    details: object;
  }>(
    'select action, actor, tenant, outcome, details from chronawflow.audit_event where object = $1 order by at',
    [report.restoreId],
  );
  const actions = events.rows.map((row) => row.action);
  expect(actions.at(-1)).toBe('restore.finish');
  const besides = [
    'restore.open',
    'restore.scratch',
    'restore.prepare-slice',
    'restore.validate-scratch',
    'restore.remove-scratch',
    'restore.close',
  ];
  expect(inOrder(actions, besides)).toEqual([
    'restore.request',
    'restore.resolve-target',
    'restore.verify-backup',
    'restore.stage',
    'restore.freeze',
    'restore.preview',
    'restore.phase',
    'restore.approval',
    'restore.merge',
    'restore.unfreeze',
    'restore.finish',
  ]);
  // Taken beside the resolving, and before anything is restored for it.
  expect(actions.indexOf('restore.open')).toBeGreaterThan(actions.indexOf('restore.request'));
  expect(actions.indexOf('restore.open')).toBeLessThan(actions.indexOf('restore.verify-backup'));
  expect(actions.indexOf('restore.open')).toBeLessThan(actions.indexOf('restore.scratch'));
  // Who, what, which tenant, which target and why; and to which diff each decision belongs.
  const event = (action: string) => events.rows.find((row) => row.action === action);
  expect(events.rows.map(({ tenant, outcome }) => ({ tenant, outcome }))).toEqual(
    events.rows.map(() => ({ tenant: scene.tenant, outcome: 'ok' })),
  );
  expect(event('restore.request')).toMatchObject({
    actor: 'ada',
    details: { to: '2026-11-23T10:15:00Z', reason: 'invoices deleted' },
  });
  expect(event('restore.resolve-target')?.details).toMatchObject({
    value: expect.stringContaining('10:15:00'),
  });
  expect(event('restore.preview')?.details).toMatchObject({ diffHash: preview.diffHash });
  expect(event('restore.approval')).toMatchObject({
    actor: 'grace',
    details: { kind: 'approved', diffHash: preview.diffHash },
  });
  expect(event('restore.merge')?.details).toMatchObject({ approvedHash: preview.diffHash });
});

test('freezes after the approval only, and asks again under the freeze when the diff has changed', async () => {
  await begin();
  const handle = await scene.restore({ freeze: 'after-approval' });
  await scene.awaitingApproval(handle);
  expect(scene.engine.frozen.size).toBe(0);
  scene.engine.liveHash = 'hash-2';
  await handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
  const second = await scene.awaitingApproval(handle, 'hash-2');
  expect(second.frozen).toBe(true);
  await handle.executeUpdate('approve', { args: [{ diffHash: 'hash-2', as: 'grace' }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
  expect(scene.leftovers()).toEqual([]);
});

test('goes straight on after the freeze when the diff is still the approved one', async () => {
  await begin();
  const handle = await scene.restore({ freeze: 'after-approval' });
  await scene.awaitingApproval(handle);
  await handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged', approvedBy: ['grace'] });
});

test('asks again when the merge itself finds another diff', async () => {
  await begin();
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  scene.engine.liveHash = 'hash-2';
  await handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
  await scene.awaitingApproval(handle, 'hash-2');
  expect(scene.engine.merges()).toBe(0);
  await handle.executeUpdate('approve', { args: [{ diffHash: 'hash-2', as: 'grace' }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
});

test('two approvals come from two people, neither of them the requester', async () => {
  await begin();
  const handle = await scene.restore({ approvals: 2 });
  await scene.awaitingApproval(handle);
  const approve = (as: string, diffHash = 'hash-1') =>
    handle.executeUpdate('approve', { args: [{ diffHash, as }] });
  expect(await codeOf(approve('grace', 'hash-0'))).toBe('HASH_MISMATCH');
  expect(await codeOf(approve(' Ada '))).toBe('APPROVAL_BY_REQUESTER');
  await expect(approve('grace')).resolves.toEqual({ approvedBy: ['grace'], missing: 1 });
  expect(await codeOf(approve('grace'))).toBe('ALREADY_APPROVED');
  expect(await codeOf(handle.executeUpdate('approve', { args: [{ diffHash: 7 }] }))).toBe('INVALID_INPUT');
  await expect(approve('mary')).resolves.toEqual({ approvedBy: ['grace', 'mary'], missing: 0 });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged', approvedBy: ['grace', 'mary'] });
});

test('needs nobody with approvals 0', async () => {
  await begin({ approvals: 0 });
  const handle = await scene.restore();
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged', approvedBy: [] });
});

test('a rejection ends it without a change', async () => {
  await begin();
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  await handle.executeUpdate('reject', { args: [{ as: 'ada', reason: 'wrong tenant' }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'rejected' });
  expect(scene.engine.merges()).toBe(0);
  expect(scene.leftovers()).toEqual([]);
});

test('the approval expires, and the tenant can write again', async () => {
  await begin({ approvalTimeout: '300ms' });
  const handle = await scene.restore();
  const report = await handle.result();
  expect(report.outcome).toBe('expired');
  expect(scene.leftovers()).toEqual([]);
});

test('nobody is asked for longer than the freeze lasts', async () => {
  await begin({ approvalTimeout: '24h' });
  scene.engine.freezeLimitMs = 500;
  const handle = await scene.restore();
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'expired' });
});

test('before there is a preview, approval is closed', async () => {
  await begin();
  const hold = scene.engine.hold('stageSlice');
  const handle = await scene.restore();
  await hold.reached;
  expect(await codeOf(handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] }))).toBe(
    'APPROVAL_CLOSED',
  );
  await expect(handle.query('preview')).resolves.toBeNull();
  hold.release();
  await scene.awaitingApproval(handle);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
});

test('ends with nothing to do, without asking', async () => {
  await begin();
  scene.engine.changes = 0;
  const handle = await scene.restore();
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'nothing-to-do' });
  expect(scene.engine.calls).not.toContain('merge');
  expect(scene.leftovers()).toEqual([]);
});

test('conflicts without a decision end it with CONFLICTS_BLOCK', async () => {
  await begin();
  scene.engine.conflicts = [
    {
      table: 'public.invoice',
      kind: 'unique-taken',
      message: 'number 7 is taken',
      rows: 1,
      decision: 'block',
    },
  ];
  const handle = await scene.restore();
  expect(await codeOf(handle.result())).toBe('CONFLICTS_BLOCK');
  expect(scene.leftovers()).toEqual([]);
});

test('a second restore of the tenant says which one runs', async () => {
  await begin();
  const first = await scene.restore();
  await scene.awaitingApproval(first);
  const second = await scene.restore();
  expect(await codeOf(second.result())).toBe('RESTORE_IN_PROGRESS');
  await first.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
  await expect(first.result()).resolves.toMatchObject({ outcome: 'merged' });
});

test('no scratch cluster is restored for a tenant that cannot be taken, although its target is known', async () => {
  await begin();
  const hold = scene.engine.hold('open');
  scene.engine.failNext('open', new TypeError('x is not a function'));
  const handle = await scene.restore();
  await until(async () => (await completedSteps(handle)) === 3, {
    what: 'the answers of all steps but the opening',
  });
  hold.release();
  expect(await codeOf(handle.result())).toBe('UNEXPECTED');
  expect(scene.engine.calls).toContain('resolveTarget');
  expect(scene.engine.calls).not.toContain('restoreScratch');
  expect(scene.engine.calls).not.toContain('prepareSlice');
  expect(scene.leftovers()).toEqual([]);
});

test('input that no client has checked is refused with its fields', async () => {
  await begin();
  const started = await ground.client.workflow.start('tenantRestore', {
    workflowId: `raw-${scene.taskQueue}`,
    taskQueue: scene.taskQueue,
    args: [{ tenant: scene.tenant, too: 'far' }],
  });
  expect(await codeOf(started.result())).toBe('INVALID_INPUT');
  const { rows } = await ground.platform.query(
    'select actor, action, tenant, outcome, run from chronawflow.audit_event where request = $1',
    [started.workflowId],
  );
  const { runId: run } = await started.describe();
  expect(rows).toEqual([
    { actor: 'unknown', action: 'restore.request', tenant: scene.tenant, outcome: 'INVALID_INPUT', run },
  ]);
});

test('an approval that is refused leaves no trace in the history', async () => {
  await begin();
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  const before = (await handle.fetchHistory()).events?.length;
  await expect(handle.executeUpdate('approve', { args: [{ diffHash: 'no', as: 'grace' }] })).rejects.toThrow(
    WorkflowUpdateFailedError,
  );
  const after = (await handle.fetchHistory()).events?.filter(
    (e) => e.workflowExecutionUpdateAcceptedEventAttributes,
  );
  expect(after).toEqual([]);
  expect(before).toBeGreaterThan(0);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
});
