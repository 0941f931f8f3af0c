import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import type { OperationStatus } from '../../workflows/contract';
import type { StepName } from '../support/in-memory-recovery-engine';
import { until } from '../support/until';
import { type Ground, Scene, startGround } from './support/workflow-run';

let ground: Ground;
let scene: Scene;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop(), 120_000);
afterEach(() => scene.stopWorker());

async function begin(patienceMs?: number): Promise<void> {
  scene = new Scene(ground, { approvals: 0 }, patienceMs);
  await scene.startWorker();
}

const steps: readonly StepName[] = [
  'resolveTarget',
  'verifyBackup',
  'restoreScratch',
  'prepareSlice',
  'validateScratch',
  'stageSlice',
  'freeze',
  'preview',
  'merge',
  'unfreeze',
];

test.each(steps)('the worker stops in %s: another one finishes the restore', async (step) => {
  await begin();
  const hold = scene.engine.hold(step);
  const handle = await scene.restore();
  await hold.reached;
  if (step === 'unfreeze') hold.release();
  await scene.stopWorker();
  hold.release();
  await scene.startWorker();
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
  expect(scene.engine.merges()).toBe(1);
  expect(scene.leftovers()).toEqual([]);
});

test('an approval given while no worker runs is not lost', async () => {
  scene = new Scene(ground);
  await scene.startWorker();
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  await scene.stopWorker();
  const approval = handle.executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] });
  await scene.startWorker();
  await approval;
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
});

test('errors that may go away by themselves are tried again', async () => {
  await begin();
  const lost = () => new Error('Connection terminated unexpectedly');
  scene.engine.failNext('verifyBackup', lost(), lost());
  scene.engine.failNext('merge', lost());
  const handle = await scene.restore();
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
  expect(scene.engine.calls.filter((call) => call === 'verifyBackup')).toHaveLength(3);
});

test('a mistake in the program ends the restore at once, and cleans up', async () => {
  await begin();
  scene.engine.failNext('stageSlice', new TypeError('x is not a function'));
  const handle = await scene.restore();
  await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
  expect(scene.engine.calls.filter((call) => call === 'stageSlice')).toHaveLength(1);
  expect(scene.leftovers()).toEqual([]);
});

test('a scratch host that does not come back ends the restore with SCRATCH_HOST_LOST', async () => {
  // Longer than a busy machine keeps a worker that lives from a step's beginning.
  await begin(8_000);
  const hold = scene.engine.hold('stageSlice');
  const handle = await scene.restore();
  await hold.reached;
  const scratch = [...scene.engine.scratch];
  await scene.stopWorker();
  hold.release();
  // Another host: the same common queue, another scratch queue.
  const other = scene.onAnotherHost();
  await other.startWorker();
  try {
    const error: unknown = await handle.result().catch((thrown: unknown) => thrown);
    const failure = error instanceof WorkflowFailedError ? error.cause : undefined;
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'SCRATCH_HOST_LOST' });
    const { rows } = await ground.platform.query<{ report: { cleanUp: string[] } }>(
      'select report from chronawflow.restore where workflow_id = $1',
      [handle.workflowId],
    );
    expect(rows[0]?.report.cleanUp).toEqual([expect.stringContaining('removes it when it starts')]);
    expect(scene.engine.frozen.size).toBe(0);
    expect(scene.engine.unclosed).toEqual([]);
    expect([...scene.engine.scratch]).toEqual(scratch);
  } finally {
    await other.stopWorker();
  }
});

test('Temporal itself is killed while approval is awaited, and the restore goes on', async () => {
  scene = new Scene(ground);
  await scene.startWorker();
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  await ground.temporal.kill();
  await ground.temporal.start();
  await until(
    async () => {
      const answer = await handle
        .executeUpdate('approve', { args: [{ diffHash: 'hash-1', as: 'grace' }] })
        .catch(() => undefined);
      if (answer !== undefined) return true;
      // One may have been taken although its answer was lost.
      const status = await handle.query<OperationStatus>('status').catch(() => undefined);
      return status !== undefined && status.approval.kind !== 'open';
    },
    { limitMs: 120_000, what: 'the approval to be taken' },
  );
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'merged' });
}, 240_000);
