import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { WorkflowFailedError } from '@temporalio/client';
import type { ClusterRestoreReport, RecoveryPointRecord, RestoreReport } from '../../core/recovery/types';
import { until } from '../support/until';
import { inOrder } from './support/in-order';
import { type Ground, Scene, startGround } from './support/workflow-run';

const run = promisify(execFile);
let ground: Ground;
let scene: Scene;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  scene = new Scene(ground, { approvals: 0 });
  // What a run left is here released by hand, not by the worker meanwhile.
  scene.orphansEveryMs = 3_600_000;
  await scene.startWorker();
});
afterEach(() => scene.stopWorker());

function start(workflow: string, workflowId: string, input: object) {
  return ground.client.workflow.start(workflow, { workflowId, taskQueue: scene.taskQueue, args: [input] });
}

test('an undo takes the same way without target and scratch cluster', async () => {
  const restored = await (await scene.restore()).result();
  scene.engine.calls.length = 0;
  const undo = await start('tenantUndo', `undo/${scene.tenant}/${restored.restoreId}`, {
    restoreId: restored.restoreId,
    tenant: scene.tenant,
    requestedBy: 'ada',
  });
  await expect(undo.result()).resolves.toMatchObject({ outcome: 'merged' });
  expect(inOrder(scene.engine.calls, ['close'])).toEqual([
    'open',
    'stageUndo',
    'freeze',
    'preview',
    'merge',
    'unfreeze',
  ]);
  expect(scene.leftovers()).toEqual([]);
});

test.each([
  ['an unknown restore', 'r000000000000', undefined],
  ["another tenant's restore", undefined, 'somebody-else'],
])('%s is not undone', async (_, restoreId, tenant) => {
  const restored = await (await scene.restore()).result();
  const undo = await start('tenantUndo', `undo/x/${scene.taskQueue}`, {
    restoreId: restoreId ?? restored.restoreId,
    tenant: tenant ?? scene.tenant,
    requestedBy: 'ada',
  });
  const error: unknown = await undo.result().catch((thrown: unknown) => thrown);
  expect(error instanceof WorkflowFailedError && error.cause?.cause).toMatchObject({ type: 'NOT_UNDOABLE' });
});

test('a recovery point that a schedule makes is named by the run', async () => {
  const point = await start(
    'recoveryPoint',
    `recovery-point/nightly-2026-11-23T02:00:00Z-${scene.taskQueue}`,
    {
      kind: 'named',
      requestedBy: 'schedule',
    },
  );
  const record: RecoveryPointRecord = await point.result();
  expect(record).toMatchObject({ name: `nightly-2026-11-23T02:00:00Z-${scene.taskQueue}`, kind: 'named' });
  const { rows } = await ground.platform.query(
    `select actor, outcome from chronawflow.audit_event where action = 'recovery-point.create' and object = $1`,
    [record.name],
  );
  expect(rows).toEqual([{ actor: 'schedule', outcome: 'ok' }]);
});

test('a cluster restore reports where the new cluster is', async () => {
  const cluster = await start('clusterRestore', `restore-cluster/${scene.taskQueue}`, {
    to: '20m ago',
    into: '/new',
    requestedBy: 'ada',
  });
  const report: ClusterRestoreReport = await cluster.result();
  expect(report).toMatchObject({
    outcome: 'restored',
    cluster: { dataDirectory: '/new/data', promoted: false },
  });
});

test('a cluster restore that fails is in the journal with its code', async () => {
  scene.engine.failNext('verifyBackup', new TypeError('x is not a function'));
  const cluster = await start('clusterRestore', `restore-cluster/${scene.taskQueue}`, {
    to: '20m ago',
    into: '/new',
    requestedBy: 'ada',
  });
  await expect(cluster.result()).rejects.toThrow(WorkflowFailedError);
  const { rows } = await ground.platform.query(
    'select outcome, report from chronawflow.restore where workflow_id = $1',
    [cluster.workflowId],
  );
  expect(rows).toMatchObject([{ outcome: 'failed', report: { errorCode: 'UNEXPECTED' } }]);
});

test('what a terminated run left is released, and the tenant can be restored again', async () => {
  const hold = scene.engine.hold('preview');
  const handle = await scene.restore();
  await hold.reached;
  const [open] = scene.engine.unclosed;
  await handle.terminate('by mistake');
  hold.release();
  expect(scene.engine.frozen.size).toBe(1);
  const release = await start('releaseRestore', `release/${scene.taskQueue}`, {
    restoreId: open?.restoreId,
    requestedBy: 'grace',
  });
  const report: RestoreReport = await release.result();
  expect(report).toMatchObject({ outcome: 'cancelled', restoreId: open?.restoreId });
  expect(scene.engine.frozen.size).toBe(0);
  expect(scene.engine.unclosed).toEqual([]);
  await expect((await scene.restore()).result()).resolves.toMatchObject({ outcome: 'merged' });
});

test('fewer approvals than the policy demands are refused', async () => {
  const strict = new Scene(ground, { approvals: 2 });
  await strict.startWorker();
  try {
    const handle = await strict.restore({ approvals: 1 });
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    expect(error instanceof WorkflowFailedError && error.cause?.cause).toMatchObject({
      type: 'APPROVALS_BELOW_POLICY',
    });
  } finally {
    await strict.stopWorker();
  }
});

describe("straight from Temporal's own CLI", () => {
  const temporal = (...args: string[]) =>
    run(ground.temporal.cli, [...args, '--address', ground.temporal.address, '--output', 'json']);

  test('a restore starts, shows its preview, is approved and merges', async () => {
    const workflowId = `by-hand-${scene.taskQueue}`;
    const input = { tenant: scene.tenant, to: '20m ago', requestedBy: 'ada', approvals: 1 };
    await temporal(
      'workflow',
      'start',
      '--type',
      'tenantRestore',
      '--task-queue',
      scene.taskQueue,
      '--workflow-id',
      workflowId,
      '--input',
      JSON.stringify(input),
    );
    const handle = ground.client.workflow.getHandle(workflowId);
    const { approval } = await scene.awaitingApproval(handle);
    const query = await temporal('workflow', 'query', '--workflow-id', workflowId, '--type', 'preview');
    expect(query.stdout).toContain(approval.diffHash);
    await temporal(
      'workflow',
      'update',
      'execute',
      '--workflow-id',
      workflowId,
      '--name',
      'approve',
      '--input',
      JSON.stringify({ diffHash: approval.diffHash, as: 'grace' }),
    );
    await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged', approvedBy: ['grace'] });
    // Who started it does not matter for how it is found.
    await until(
      async () => {
        const query = `TenantId = '${scene.tenant}' and Outcome = 'merged' and Capability = 'recovery' and Phase = 'done'`;
        for await (const found of ground.client.workflow.list({ query }))
          return found.workflowId === workflowId;
        return false;
      },
      { what: 'the run to be found by its search attributes' },
    );
  });

  test.each([['{}'], ['null'], ['"text"'], ['{"tenant": 7}']])(
    'input %s is refused with the fields',
    async (input) => {
      const workflowId = `by-hand-${scene.taskQueue}`;
      await temporal(
        'workflow',
        'start',
        '--type',
        'tenantRestore',
        '--task-queue',
        scene.taskQueue,
        '--workflow-id',
        workflowId,
        '--input',
        input,
      );
      const error: unknown = await ground.client.workflow
        .getHandle(workflowId)
        .result()
        .catch((thrown: unknown) => thrown);
      expect(error instanceof WorkflowFailedError && error.cause?.cause).toMatchObject({
        type: 'INVALID_INPUT',
      });
    },
  );
});
