import { WorkflowFailedError } from '@temporalio/client';
import type { RestoreReport } from '../../core/recovery/types';
import { inOrder } from './support/in-order';
import { type Ground, Scene, startGround } from './support/workflow-run';

let ground: Ground;
let scene: Scene;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  scene = new Scene(ground);
  await scene.startWorker();
});
afterEach(() => scene.stopWorker());

const drill = (input: object = {}) =>
  ground.client.workflow.start('recoveryDrill', {
    workflowId: `drill/${scene.taskQueue}`,
    taskQueue: scene.taskQueue,
    args: [{ requestedBy: 'ada', ...input }],
  });

test('a drill goes as far as the preview and cleans up; it neither freezes nor merges', async () => {
  const report: RestoreReport = await (await drill()).result();
  expect(report).toMatchObject({
    outcome: 'drilled',
    tenant: scene.tenant,
    approvedBy: [],
    preview: { diffHash: 'hash-1' },
    // Clock of the double's backup: 1.5 s behind. The merge that did not happen is counted by its estimate.
    objectives: { tier: 'gold', rpoMs: 1_500, rpoMet: true, rtoMet: true },
  });
  expect(report.merge).toBeUndefined();
  expect(report.objectives?.rtoMs).toBeGreaterThanOrEqual(20);
  const besides = ['open', 'restoreScratch', 'prepareSlice', 'validateScratch', 'removeScratch', 'close'];
  expect(inOrder(scene.engine.calls, besides)).toEqual([
    'resolveTarget',
    'verifyBackup',
    'stageSlice',
    'preview',
    'cancel',
    'unfreeze',
  ]);
  expect(scene.leftovers()).toEqual([]);
  const { rows } = await ground.platform.query(
    `select kind, tenant, outcome from chronawflow.restore where id = $1`,
    [report.restoreId],
  );
  expect(rows).toEqual([{ kind: 'drill', tenant: scene.tenant, outcome: 'drilled' }]);
  const events = await ground.platform.query<{ action: string }>(
    'select action from chronawflow.audit_event where object = $1 order by at',
    [report.restoreId],
  );
  expect(events.rows.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['restore.verify-backup', 'restore.stage', 'restore.preview', 'restore.finish']),
  );
});

test('conflicts that would block a merge do not fail a drill; they are in its report', async () => {
  scene.engine.conflicts = [
    { table: 'public.invoice', kind: 'unique-taken', message: 'taken', rows: 1, decision: 'block' },
  ];
  await expect((await drill()).result()).resolves.toMatchObject({
    outcome: 'drilled',
    preview: { blocked: true },
  });
});

test('a drill that is cancelled, or fails, leaves nothing and says why', async () => {
  const hold = scene.engine.hold('stageSlice');
  const cancelled = await drill();
  await hold.reached;
  await cancelled.cancel();
  await expect(cancelled.result()).rejects.toThrow(WorkflowFailedError);
  expect(scene.leftovers()).toEqual([]);

  hold.release();
  await scene.stopWorker();
  scene = new Scene(ground);
  await scene.startWorker();
  scene.engine.failNext('validateScratch', new TypeError('x is not a function'));
  const failed = await drill();
  await expect(failed.result()).rejects.toThrow(WorkflowFailedError);
  expect(scene.leftovers()).toEqual([]);
  const { rows } = await ground.platform.query(
    `select outcome, report ->> 'errorCode' as code from chronawflow.restore where workflow_id = $1`,
    [failed.workflowId],
  );
  expect(rows).toEqual([{ outcome: 'failed', code: 'UNEXPECTED' }]);
});

test.each([[{ tenant: 7 }], [{ to: '' }], [{ approvals: 0 }]])('input %j is refused', async (input) => {
  const error: unknown = await (await drill(input)).result().catch((thrown: unknown) => thrown);
  expect(error instanceof WorkflowFailedError && error.cause?.cause).toMatchObject({ type: 'INVALID_INPUT' });
});
