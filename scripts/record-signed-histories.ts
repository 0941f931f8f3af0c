/**
 * `node -r ./scripts/register.cjs scripts/record-signed-histories.ts`: as record-histories.ts, for runs whose operators sign.
 */
import { SignedScene } from '../test/workflow/support/signed-scene';
import { type Ground, startGround } from '../test/workflow/support/workflow-run';
import { around, recordStories } from './histories/record-stories';
import { saveHistory } from './histories/save-history';

/** What becomes of a restore that ada has asked for; it awaits approval. */
type Story = (scene: SignedScene, workflowId: string, diffHash: string) => Promise<unknown>;

const STORIES: Readonly<Record<string, Story>> = {
  'restore-signed-merged': async (scene, workflowId, diffHash) =>
    (await scene.as('grace')).recovery.run(workflowId).approve({ diffHash }),
  'restore-signed-rejected': async (scene, workflowId) =>
    (await scene.as('grace')).recovery.run(workflowId).reject({ reason: 'wrong tenant' }),
  'restore-signed-approval-refused': async (scene, workflowId, diffHash) => {
    const run = (await scene.as('hopper')).recovery.run(workflowId);
    await run.approve({ diffHash }).catch((error: unknown) => error);
    return (await scene.as('grace')).recovery.run(workflowId).approve({ diffHash });
  },
};

async function record(ground: Ground, name: string, story: Story): Promise<void> {
  const scene = new SignedScene(ground, {
    ada: [{ role: 'requester' }],
    grace: [{ role: 'approver' }],
    hopper: [{ role: 'approver', tenants: ['another'] }],
  });
  await scene.begin();
  try {
    const { recovery } = await scene.as('ada');
    const run = await recovery.restoreTenant({ tenant: scene.tenant, to: '2026-11-23T10:15:00Z' });
    const { diffHash } = await run.preview();
    await story(scene, run.workflowId, diffHash);
    await run.result();
    await saveHistory(ground.temporal, run.workflowId, name);
  } finally {
    await scene.end();
  }
}

recordStories(around(STORIES, record), startGround);
