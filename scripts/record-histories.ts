/**
 * `node -r ./scripts/register.cjs scripts/record-histories.ts`: records one history for each way through the
 * recovery workflows into test/workflow/histories/, where test/workflow/replay.test.ts replays them.
 *
 * Histories are a promise to runs that are under way while a new version is deployed. So keep those that are there:
 * record again only after a change that `patched` guards, under a new name, and drop an old one when no run of its time
 * can be left.
 */
import type { WorkflowHandle } from '@temporalio/client';
import type { StepName } from '../test/support/in-memory-recovery-engine';
import { type Ground, Scene, startGround } from '../test/workflow/support/workflow-run';
import { around, recordStories } from './histories/record-stories';
import { saveHistory } from './histories/save-history';

type Story = (scene: Scene, ground: Ground) => Promise<WorkflowHandle>;

const approve = (handle: WorkflowHandle, diffHash: string, as = 'grace') =>
  handle.executeUpdate('approve', { args: [{ diffHash, as }] });

async function merged(scene: Scene): Promise<WorkflowHandle> {
  const handle = await scene.restore();
  await scene.awaitingApproval(handle);
  await approve(handle, 'hash-1');
  return handle;
}

async function undoMerged(scene: Scene, ground: Ground): Promise<WorkflowHandle> {
  const restored = await scene.restore();
  await scene.awaitingApproval(restored);
  await approve(restored, 'hash-1');
  const { restoreId } = await restored.result();
  const handle = await start(ground, scene, 'tenantUndo', {
    restoreId,
    tenant: scene.tenant,
    requestedBy: 'ada',
  });
  await scene.awaitingApproval(handle);
  await approve(handle, 'hash-1');
  return handle;
}

const restore: Story = (scene) => scene.restore();

const drill: Story = (scene, ground) => start(ground, scene, 'recoveryDrill', { requestedBy: 'ada' });

function cancelledIn(step: StepName, begin = restore): Story {
  return async (scene, ground) => {
    const hold = scene.engine.hold(step);
    const handle = await begin(scene, ground);
    await hold.reached;
    await handle.cancel();
    // The opening is not interrupted; the cancellation takes effect after it.
    if (step === 'open') hold.release();
    return handle;
  };
}

function failedIn(step: StepName, begin = restore): Story {
  return (scene, ground) => {
    scene.engine.failNext(step, new TypeError('x is not a function'));
    return begin(scene, ground);
  };
}

const STORIES: Readonly<Record<string, Story>> = {
  'restore-merged': merged,
  'restore-merged-prepared-beside': merged,
  'restore-merged-begun-beside': merged,
  'restore-merged-opened-beside': merged,
  'restore-not-opened-beside-resolving': failedIn('open'),
  'restore-cancelled-while-opening': cancelledIn('open'),
  'restore-cancelled-while-resolving': cancelledIn('resolveTarget'),
  'restore-resolving-failed': failedIn('resolveTarget'),
  'restore-cancelled-while-preparing': cancelledIn('prepareSlice'),
  'restore-preparing-failed': failedIn('prepareSlice'),
  'restore-two-approvals': async (scene) => {
    const handle = await scene.restore({ approvals: 2 });
    await scene.awaitingApproval(handle);
    await approve(handle, 'hash-1');
    await approve(handle, 'hash-1', 'mary');
    return handle;
  },
  'restore-frozen-after-approval-diff-changed': async (scene) => {
    const handle = await scene.restore({ freeze: 'after-approval' });
    await scene.awaitingApproval(handle);
    scene.engine.liveHash = 'hash-2';
    await approve(handle, 'hash-1');
    await scene.awaitingApproval(handle, 'hash-2');
    await approve(handle, 'hash-2');
    return handle;
  },
  'restore-merge-diff-changed': async (scene) => {
    const handle = await scene.restore();
    await scene.awaitingApproval(handle);
    scene.engine.liveHash = 'hash-2';
    await approve(handle, 'hash-1');
    await scene.awaitingApproval(handle, 'hash-2');
    await approve(handle, 'hash-2');
    return handle;
  },
  'restore-nothing-to-do': async (scene) => {
    scene.engine.changes = 0;
    return scene.restore();
  },
  'restore-rejected': async (scene) => {
    const handle = await scene.restore();
    await scene.awaitingApproval(handle);
    await handle.executeUpdate('reject', { args: [{ as: 'grace', reason: 'wrong tenant' }] });
    return handle;
  },
  'restore-expired': async (scene) => {
    scene.engine.freezeLimitMs = 300;
    return scene.restore();
  },
  'restore-cancelled-while-staging': cancelledIn('stageSlice'),
  'restore-cancelled-merge-won': async (scene) => {
    scene.engine.failNext('cancel', new Error('Connection terminated unexpectedly'));
    const hold = scene.engine.hold('merge');
    const handle = await scene.restore();
    await scene.awaitingApproval(handle);
    await approve(handle, 'hash-1');
    await hold.reached;
    scene.engine.afterNext('merge', () => {
      throw new Error('Connection terminated unexpectedly');
    });
    hold.release();
    await handle.cancel();
    return handle;
  },
  'restore-conflicts-block': async (scene) => {
    scene.engine.conflicts = [
      {
        table: 'public.invoice',
        kind: 'unique-taken',
        message: 'number 7 is taken',
        rows: 1,
        decision: 'block',
      },
    ];
    return scene.restore();
  },
  'restore-input-refused': async (scene) => scene.restore({ to: '' }),
  'undo-merged': undoMerged,
  'undo-merged-closed-beside': undoMerged,
  'drill-drilled': drill,
  'drill-drilled-prepared-beside': drill,
  'drill-drilled-begun-beside': drill,
  'drill-drilled-opened-beside': drill,
  'drill-cancelled-while-staging': cancelledIn('stageSlice', drill),
  'drill-failed': failedIn('validateScratch', drill),
  'recovery-point': (scene, ground) =>
    start(ground, scene, 'recoveryPoint', { kind: 'named', name: 'before-import', requestedBy: 'ada' }),
  'cluster-restored': (scene, ground) =>
    start(ground, scene, 'clusterRestore', { to: '20m ago', into: '/new', requestedBy: 'ada' }),
  'cluster-failed': (scene, ground) => {
    scene.engine.failNext('verifyBackup', new TypeError('x is not a function'));
    return start(ground, scene, 'clusterRestore', { to: '20m ago', into: '/new', requestedBy: 'ada' });
  },
  'restore-released': async (scene, ground) => {
    const hold = scene.engine.hold('preview');
    const handle = await scene.restore();
    await hold.reached;
    await handle.terminate();
    hold.release();
    const restoreId = scene.engine.unclosed[0]?.restoreId;
    return start(ground, scene, 'releaseRestore', { restoreId, requestedBy: 'grace' });
  },
};

function start(ground: Ground, scene: Scene, workflow: string, input: object): Promise<WorkflowHandle> {
  const workflowId = `${workflow}-${scene.taskQueue}`;
  return ground.client.workflow.start(workflow, { workflowId, taskQueue: scene.taskQueue, args: [input] });
}

async function record(ground: Ground, name: string, story: Story): Promise<void> {
  const scene = new Scene(ground);
  await scene.startWorker();
  try {
    const handle = await story(scene, ground);
    // However the run ends, its history is what is wanted.
    await handle.result().catch((error: unknown) => error);
    await saveHistory(ground.temporal, handle.workflowId, name);
  } finally {
    await scene.stopWorker();
  }
}

recordStories(around(STORIES, record), startGround);
