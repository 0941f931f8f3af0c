/**
 * `node -r ./scripts/register.cjs scripts/record-degradation-histories.ts`: one history for each way through the controller and the
 * transition of degradation levels, kept like those of record-histories.ts.
 */
import { consentTo } from '../core/operators';
import { DegradationStage, QUICK } from '../test/support/degradation-stage';
import { SigningPeople } from '../test/support/signing-people';
import { until } from '../test/support/until';
import { type Ground, startGround } from '../test/workflow/support/workflow-run';
import {
  controllerWorkflowId,
  degradationMessageNames as messages,
  transitionWorkflowId,
} from '../workflows/degradation-contract';
import { isRecorded, saveHistory } from './histories/save-history';

const PLATFORM = 'platform';

interface Story {
  /** History's name → workflow to save under it. */
  readonly saves: Readonly<Record<string, string>>;
  /** Events after which a run goes on in a new one; default Temporal's own. */
  readonly runLength?: number;
  /** Whose levels they are, where operators sign. */
  readonly people?: SigningPeople;
  readonly tell: (stage: DegradationStage, ground: Ground) => Promise<void>;
}

const ended = (ground: Ground, version: number) =>
  ground.client.workflow.getHandle(transitionWorkflowId(PLATFORM, version)).result();

const signing = new SigningPeople({ ada: [{ role: 'requester' }], grace: [{ role: 'approver' }] });

const STORIES: readonly Story[] = [
  {
    saves: { 'degradation-controller-signed': controllerWorkflowId(PLATFORM) },
    people: signing,
    tell: async (stage, ground) => {
      await stage.follow('web', { 'error-rate': 0 });
      await stage.startControl();
      await stage.watched();
      const { degradation } = await signing.as('ada', stage.config);
      const request = { level: 'reduced', for: '10m', as: 'ada', reason: 'practice' } as const;
      await degradation.applyDegradation(request).catch((error: unknown) => error);
      const intent = await degradation.request(request);
      const consent = await signing.sign(ground.platform, 'grace', consentTo(intent));
      await degradation.applyDegradation({ ...request, signed: { intent, approvals: [consent] } });
      await stage.reached('reduced');
      await degradation.recover({ as: 'ada', reason: 'enough' });
      await stage.reached('normal');
    },
  },
  {
    saves: {
      'degradation-controller-down-and-up': controllerWorkflowId(PLATFORM),
      'degradation-transition-applied': transitionWorkflowId(PLATFORM, 3),
    },
    tell: async (stage, ground) => {
      const seen = { 'error-rate': 0 };
      await stage.follow('web', seen);
      await stage.startControl();
      await stage.watched();
      seen['error-rate'] = 0.2;
      await stage.reached('limited');
      seen['error-rate'] = 0;
      await stage.reached('normal');
      await ended(ground, 3);
    },
  },
  {
    saves: { 'degradation-controller-by-hand': controllerWorkflowId(PLATFORM) },
    tell: async (stage, ground) => {
      await stage.follow('web', { 'error-rate': 0 });
      await stage.startControl();
      await stage.watched();
      const as = { by: 'ada', reason: 'practice' };
      await stage.controller.executeUpdate(messages.setLevel, {
        args: [{ ...as, level: 'reduced', forMs: 600_000 }],
      });
      await stage.reached('reduced');
      await stage.controller.executeUpdate(messages.setReadOnly, { args: [{ ...as, forMs: 600_000 }] });
      await stage.controller.executeUpdate(messages.endReadOnly, { args: [as] });
      await stage.controller.executeUpdate(messages.releaseLevel, { args: [as] });
      await stage.reached('normal');
      await ended(ground, 5);
    },
  },
  {
    saves: { 'degradation-transition-straggler': transitionWorkflowId(PLATFORM, 1) },
    tell: async (stage, ground) => {
      let broken = true;
      const seen = { 'error-rate': 0 };
      const index = () => {
        if (broken) throw new Error('the index is locked');
      };
      await stage.follow('search', seen, { components: { index } });
      await stage.startControl();
      await stage.watched();
      seen['error-rate'] = 0.06;
      await stage.reached('reduced');
      const waitsLonger = async () =>
        (await ground.client.workflow.getHandle(transitionWorkflowId(PLATFORM, 1)).describe()).historyLength >
        12;
      await until(waitsLonger, { limitMs: 60_000, what: 'the straggler to be waited for a second time' });
      broken = false;
      await ended(ground, 1);
    },
  },
  {
    saves: { 'degradation-controller-continued': controllerWorkflowId(PLATFORM) },
    runLength: 60,
    tell: async (stage) => {
      await stage.follow('web', { 'error-rate': 0.06 });
      await stage.startControl();
      await stage.reached('reduced');
      const { runId } = await stage.controller.describe();
      const continued = async () => {
        const { runId: now, historyLength } = await stage.controller.describe();
        return now !== runId && historyLength > 8;
      };
      await until(continued, { limitMs: 120_000, what: 'the next run of the controller' });
    },
  },
];

async function record({ saves, runLength, people, tell }: Story): Promise<void> {
  const missing = Object.entries(saves).filter(([name]) => !isRecorded(name));
  if (missing.length === 0) return;
  const ground = await startGround(
    runLength === undefined
      ? {}
      : { dynamicConfig: [`limit.historyCount.suggestContinueAsNew=${runLength}`] },
  );
  const connection = ground.postgres.connection('platform');
  const operators = people === undefined ? {} : { operators: people.section() };
  const stage = new DegradationStage(ground, QUICK, connection, operators);
  try {
    await people?.join(stage.config);
    await tell(stage, ground);
    for (const [name, workflowId] of missing) {
      await saveHistory(ground.temporal, workflowId, name);
      console.log(name);
    }
  } finally {
    await people?.leave();
    await stage.stop();
    await ground.stop();
  }
}

async function main(): Promise<void> {
  for (const story of STORIES) await record(story);
}

void main();
