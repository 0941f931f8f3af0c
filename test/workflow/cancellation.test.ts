import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import type { StepName } from '../support/in-memory-recovery-engine';
import { type Ground, Scene, startGround } from './support/workflow-run';

let ground: Ground;
let scene: Scene;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop());
beforeEach(async () => {
  scene = new Scene(ground, { approvals: 0 });
  await scene.startWorker();
});
afterEach(() => scene.stopWorker());

const steps: readonly StepName[] = [
  'open',
  'resolveTarget',
  'verifyBackup',
  'restoreScratch',
  'prepareSlice',
  'validateScratch',
  'stageSlice',
  'freeze',
  'preview',
  'merge',
];

async function expectCancelled(result: Promise<unknown>): Promise<void> {
  const error: unknown = await result.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect(error instanceof Error && error.cause).toBeInstanceOf(CancelledFailure);
}

test.each(steps)('cancelled in %s: nothing written, nothing left', async (step) => {
  const hold = scene.engine.hold(step);
  const handle = await scene.restore();
  await hold.reached;
  await handle.cancel();
  // `open` cannot be interrupted; it ends by itself and the cancellation takes effect after it.
  if (step === 'open') hold.release();
  await expectCancelled(handle.result());
  expect(scene.engine.merges()).toBe(0);
  expect(scene.leftovers()).toEqual([]);
  const { rows } = await ground.platform.query(
    'select outcome from chronawflow.restore where workflow_id = $1',
    [handle.workflowId],
  );
  expect(rows).toEqual([{ outcome: 'cancelled' }]);
});

test('cancelled while approval is awaited: nothing written, nothing left', async () => {
  const handle = await scene.restore({ approvals: 1 });
  await scene.awaitingApproval(handle);
  await handle.cancel();
  await expectCancelled(handle.result());
  expect(scene.leftovers()).toEqual([]);
});

test('cancelled while the merge commits: the merge won, and the report says so', async () => {
  // The commit is done, its answer is lost: the worker stops before it can send it. What asks again stands until the cancellation
  // has come.
  let asksAgain: { readonly release: () => void } | undefined;
  let lost = () => {};
  const losing = new Promise<void>((resolve) => {
    lost = resolve;
  });
  scene.engine.afterNext('merge', () => {
    asksAgain = scene.engine.hold('merge');
    lost();
    throw new Error('Connection terminated unexpectedly');
  });
  const handle = await scene.restore();
  await losing;
  await handle.cancel();
  asksAgain?.release();
  const report = await handle.result().catch((error: unknown) => error);
  expect(report).toMatchObject({ outcome: 'merged', merge: { kind: 'merged' } });
  expect(scene.engine.merges()).toBe(1);
  expect(scene.leftovers()).toEqual([]);
});
