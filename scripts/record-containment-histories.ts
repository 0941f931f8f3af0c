import { CleanUp } from '../test/support/clean-up';
import {
  type ContainmentScene,
  openContainmentScene,
  startContainmentStage,
} from '../test/support/containment-scene';
import type { JobStage } from '../test/support/job-stage';
import { SigningPeople } from '../test/support/signing-people';
import { until } from '../test/support/until';
import { isRecorded, saveHistory } from './histories/save-history';

/** Ways through the workflow `containment`, for the replay test: `node -r ./scripts/register.cjs scripts/record-containment-histories.ts`. */
type Story = (scene: ContainmentScene, stage: JobStage) => Promise<string>;

const holding = (run: { status(): Promise<{ readonly phase: string }> }) =>
  until(async () => (await run.status()).phase === 'holding', { limitMs: 60_000 });

const STORIES: Readonly<Record<string, Story>> = {
  'containment-released': async ({ cf }) => {
    const run = await cf.containment.contain({
      strategy: 'isolate-tenant',
      tenant: 't1',
      reason: 'it floods',
    });
    await holding(run);
    await run.release({ as: 'grace' });
    await run.result();
    return run.workflowId;
  },
  // Renewed several times, then over.
  'containment-expired': async ({ cf }) => {
    const run = await cf.containment.contain({
      strategy: 'read-only',
      tenant: 't2',
      reason: 'a test',
      for: '5s',
    });
    await run.result();
    return run.workflowId;
  },
  'containment-refused': async ({ cf }) => {
    const first = await cf.containment.contain({ strategy: 'hold-queue', type: 'mail', reason: 'a test' });
    await holding(first);
    const second = await cf.containment.contain({ strategy: 'hold-queue', type: 'mail', reason: 'again' });
    await second.result().catch((error: unknown) => error);
    await first.release();
    return second.workflowId;
  },
  'containment-cancelled': async ({ cf }, stage) => {
    const run = await cf.containment.contain({
      strategy: 'open-breaker',
      service: 'tax',
      operation: 'rate',
      tenant: '',
      reason: 'a test',
    });
    await holding(run);
    await stage.cancel(run.workflowId);
    await run.result().catch((error: unknown) => error);
    return run.workflowId;
  },
  'containment-part-failed': async ({ cf }) => {
    const run = await cf.containment.contain({
      strategy: 'isolate-tenant',
      tenant: 'nobody',
      reason: 'a typo',
    });
    await holding(run);
    await run.release();
    await run.result();
    return run.workflowId;
  },
};

/** A run whose history has grown long, up to the next one. */
async function recordContinued(): Promise<void> {
  const name = 'containment-continued';
  if (isRecorded(name)) return;
  const stage = await startContainmentStage({
    dynamicConfig: ['limit.historyCount.suggestContinueAsNew=50'],
  });
  const cleanUp = new CleanUp();
  try {
    const scene = await openContainmentScene(stage, cleanUp, { containment: { lease: '3s' } });
    await scene.startControl();
    const run = await scene.cf.containment.contain({
      strategy: 'hold-queue',
      type: 'mail',
      reason: 'a test',
    });
    const { runId } = await stage.describe(run.workflowId);
    const next = async () => (await stage.describe(run.workflowId)).runId !== runId;
    await until(next, { limitMs: 120_000, what: 'the next run' });
    await saveHistory(stage.temporal, run.workflowId, name, runId);
    await holding(run);
    await run.release();
    console.log(`${name}: recorded`);
  } finally {
    await cleanUp.run();
    await stage.stop();
  }
}

const SIGNED = 'containment-signed-released';

/** Where operators sign: somebody without a key asks for the release first. */
async function signedRelease(
  scene: ContainmentScene,
  stage: JobStage,
  people: SigningPeople,
): Promise<string> {
  await people.join(scene.config);
  await scene.startControl();
  const ada = await people.as('ada', scene.config);
  const run = await ada.containment.contain({ strategy: 'hold-queue', tenant: 't3', reason: 'it floods' });
  await holding(run);
  await stage.client.workflow
    .getHandle(run.workflowId)
    .executeUpdate('release', { args: [{ as: 'ada' }] })
    .catch((error: unknown) => error);
  await run.release();
  await run.result();
  return run.workflowId;
}

async function main(): Promise<void> {
  await recordContinued();
  if ([...Object.keys(STORIES), SIGNED].every(isRecorded)) return;
  const stage = await startContainmentStage();
  const cleanUp = new CleanUp();
  try {
    const scene = await openContainmentScene(stage, cleanUp, { containment: { lease: '3s' } });
    await scene.startControl();
    for (const [name, story] of Object.entries(STORIES)) {
      if (isRecorded(name)) continue;
      await saveHistory(stage.temporal, await story(scene, stage), name);
      console.log(`${name}: recorded`);
    }
    await scene.stop();
    if (isRecorded(SIGNED)) return;
    const people = new SigningPeople({ ada: [{ role: 'requester' }] });
    cleanUp.add(() => people.leave());
    const signed = await openContainmentScene(stage, cleanUp, {
      containment: { lease: '3s' },
      operators: people.section(),
    });
    await saveHistory(stage.temporal, await signedRelease(signed, stage, people), SIGNED);
    console.log(`${SIGNED}: recorded`);
  } finally {
    await cleanUp.run();
    await stage.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
