import { CleanUp } from '../test/support/clean-up';
import {
  type ContainmentScene,
  openContainmentScene,
  startContainmentStage,
} from '../test/support/containment-scene';
import type { JobStage } from '../test/support/job-stage';
import { type PageSink, startPageSink } from '../test/support/page-sink';
import { until } from '../test/support/until';
import { around, recordStories } from './histories/record-stories';
import { saveHistory } from './histories/save-history';

/** Ways through the workflow `escalation`, for the replay test: `node -r ./scripts/register.cjs scripts/record-escalation-histories.ts`. */
interface Story {
  readonly sections: (sink: PageSink) => object;
  during(scene: ContainmentScene, sink: PageSink, stage: JobStage): Promise<void>;
}

const webhook = (sink: PageSink, path: string) => [{ kind: 'webhook', url: `${sink.url}${path}` }];
const twoLevels = (after: string) => (sink: PageSink) => ({
  levels: [
    { level: 1, notify: webhook(sink, '/team') },
    { level: 2, notify: webhook(sink, '/sre') },
  ],
  severities: { critical: { after } },
  repeats: 0,
});
const told = (sink: PageSink, count: number) => until(() => sink.pages.length >= count, { limitMs: 60_000 });
const newest = async ({ cf }: ContainmentScene) =>
  (await cf.escalation.list({ all: true, limit: 1 }))[0]?.id ?? '';

const STORIES: Readonly<Record<string, Story>> = {
  'escalation-unanswered': { sections: twoLevels('2s'), during: async () => undefined },
  'escalation-acknowledged-resolved': {
    sections: twoLevels('10m'),
    during: async (scene, sink, stage) => {
      await told(sink, 1);
      await scene.cf.escalation.acknowledge(await newest(scene), { as: 'ada' });
      await told(sink, 2);
      await stage.signal('escalation/escalation-acknowledged-resolved', 'resolve');
    },
  },
  'escalation-raised-again': {
    sections: (sink) => ({ ...twoLevels('10m')(sink), acknowledgedFor: '1s' }),
    during: async (scene, sink, stage) => {
      await told(sink, 1);
      await scene.cf.escalation.acknowledge(await newest(scene), { as: 'ada' });
      await told(sink, 3);
      await stage.signal('escalation/escalation-raised-again', 'resolve');
    },
  },
  'escalation-unreachable': {
    sections: twoLevels('3s'),
    during: async () => undefined,
  },
  'escalation-silenced': {
    sections: twoLevels('1s'),
    during: async () => undefined,
  },
  'escalation-noted': { sections: () => ({ levels: [] }), during: async () => undefined },
  'escalation-cancelled': {
    sections: twoLevels('10m'),
    during: async (_scene, sink, stage) => {
      await told(sink, 1);
      await stage.cancel('escalation/escalation-cancelled');
    },
  },
};

async function record(stage: JobStage, name: string, { sections, during }: Story): Promise<void> {
  const cleanUp = new CleanUp();
  try {
    const sink = await startPageSink(cleanUp);
    if (name === 'escalation-unreachable') sink.answers.set('/team', 404);
    const scene = await openContainmentScene(stage, cleanUp, { escalation: sections(sink) });
    await scene.startControl();
    if (name === 'escalation-silenced')
      await scene.cf.escalation.silence({ labels: { alertname: name }, forMs: 3_000, reason: 'a window' });
    const workflowId = await scene.cf.escalation.raise({
      fingerprint: name,
      severity: 'critical',
      summary: 'it is down',
      labels: { alertname: name },
    });
    await during(scene, sink, stage);
    await until(async () => (await stage.describe(workflowId)).status.name !== 'RUNNING', {
      limitMs: 60_000,
    });
    await saveHistory(stage.temporal, workflowId, name);
  } finally {
    await cleanUp.run();
  }
}

recordStories(around(STORIES, record), startContainmentStage);
