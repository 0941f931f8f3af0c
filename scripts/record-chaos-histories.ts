/**
 * `node -r ./scripts/register.cjs scripts/record-chaos-histories.ts`: one history for each way through the workflow of chaos
 * experiments, beside those of record-histories.ts and under the same promise. Needs the build.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChaosRun } from '../client';
import { operatorsConfig } from '../config/operators';
import { type ChaosDeployment, startChaosDeployment } from '../test/support/chaos-temporal';
import { SigningPeople } from '../test/support/signing-people';
import { until } from '../test/support/until';
import { around, recordStories } from './histories/record-stories';
import { saveHistory } from './histories/save-history';

type Story = (chaos: ChaosDeployment) => Promise<ChaosRun>;

function experiment({ service }: ChaosDeployment, extension: object = {}, method: readonly object[] = []) {
  const provider = { type: 'http', url: service.url };
  return {
    title: 'recorded',
    description: '',
    'steady-state-hypothesis': {
      title: 'it answers',
      probes: [{ type: 'probe', name: 'answers', provider, tolerance: 200 }],
    },
    method,
    rollbacks: [{ type: 'action', name: 'note', provider: { ...provider, method: 'POST' } }],
    extensions: [
      {
        name: 'chronawflow',
        faults: [{ driver: 'toxiproxy.down', target: 'proxy-1' }],
        duration: '1s',
        recovery: '0s',
        ...extension,
      },
    ],
  };
}

const post = (chaos: ChaosDeployment, name: string, path: string, more: object = {}) => ({
  type: 'action',
  name,
  provider: { type: 'http', url: `${chaos.service.url}${path}`, method: 'POST' },
  ...more,
});

const start = (chaos: ChaosDeployment, document: object, more: object = {}) =>
  chaos.cf.chaos.run({ experiment: { ...document }, requestedBy: 'ada', ...more });

async function cancelled(chaos: ChaosDeployment): Promise<ChaosRun> {
  const run = await start(chaos, experiment(chaos, { duration: '60s' }));
  await until(async () => (await run.status()).phase === 'observing');
  await run.abort();
  return run;
}

const STORIES: Readonly<Record<string, Story>> = {
  'chaos-passed': (chaos) =>
    start(
      chaos,
      experiment(chaos, { load: { url: chaos.service.url, ratePerSecond: 5, around: '1s' } }, [
        post(chaos, 'beside', '/beside', { background: true, pauses: { before: 1 } }),
        post(chaos, 'then', '/then', { pauses: { after: 1 } }),
      ]),
    ),
  'chaos-deviated': (chaos) => start(chaos, experiment(chaos, {}, [post(chaos, 'break it', '/set/500')])),
  'chaos-not-steady': async (chaos) => {
    chaos.service.status = 500;
    return start(chaos, experiment(chaos));
  },
  'chaos-aborted-by-condition': (chaos) => {
    const probe = {
      type: 'probe',
      name: 'answers',
      provider: { type: 'http', url: chaos.service.url },
      tolerance: 200,
    };
    const extension = { duration: '60s', 'abort-conditions': [{ kind: 'probe', probe }] };
    return start(chaos, experiment(chaos, extension, [post(chaos, 'break it', '/set/500')]));
  },
  'chaos-cancelled': cancelled,
  'chaos-cancelled-after-last-look': cancelled,
  'chaos-game-day': async (chaos) => {
    const run = await start(chaos, experiment(chaos), { confirmEachStep: true });
    for (const step of ['inject', 'roll back']) {
      await until(async () => (await run.status()).awaits?.startsWith(step) === true);
      await run.confirm({ as: 'grace' });
    }
    return run;
  },
  'chaos-rollbacks-after-unended-faults': async (chaos) => {
    const { journal } = chaos.stage.host;
    const run = await start(chaos, experiment(chaos, { duration: '2s' }));
    await until(async () => (await run.status()).phase === 'observing');
    const [id = ''] = await journal.ids();
    // A lease that cannot be read can be ended by its own process only.
    await writeFile(join(journal.directory, 'leases', id, 'lease.json'), '{');
    await run.result().catch((error: unknown) => error);
    await until(async () => (await journal.ids()).length === 0, { limitMs: 60_000 });
    return run;
  },
  'chaos-dry-run': (chaos) => start(chaos, experiment(chaos), { dryRun: true }),
};

/** Where operators sign: a game day in production, whose first confirmation nobody has signed. */
async function signedGameDay(chaos: ChaosDeployment, name: string): Promise<void> {
  const people = new SigningPeople({ ada: [{ role: 'chaos' }], grace: [{ role: 'approver' }] });
  const production = await chaos.inProduction(operatorsConfig.parse(people.section()));
  try {
    await people.join(production.config);
    const ada = await people.as('ada', production.config);
    const document = experiment(chaos, {}, [post(chaos, 'then', '/then')]);
    const run = await ada.chaos.run({ experiment: document, confirmEachStep: true });
    await until(async () => (await run.status()).phase === 'awaiting-approval', { limitMs: 60_000 });
    await (await people.as('grace', production.config)).chaos.handle(run.workflowId).approve();
    for (const step of ['inject', 'action then', 'roll back']) {
      await until(async () => (await run.status()).awaits?.startsWith(step) === true, { limitMs: 60_000 });
      if (step === 'inject')
        await chaos.cf.chaos
          .handle(run.workflowId)
          .confirm({ as: 'ada' })
          .catch((error: unknown) => error);
      await run.confirm();
    }
    await run.result();
    await saveHistory(chaos.temporal, run.workflowId, name);
  } finally {
    await people.leave();
    await production.stop();
  }
}

async function record(chaos: ChaosDeployment, name: string, story: Story): Promise<void> {
  chaos.service.status = 200;
  const run = await story(chaos);
  // However the run ends, its history is what is wanted.
  await run.result().catch((error: unknown) => error);
  await saveHistory(chaos.temporal, run.workflowId, name);
}

async function startDeployment(): Promise<ChaosDeployment> {
  const chaos = await startChaosDeployment({ leaseTerm: '10s' });
  await chaos.startWorker();
  return chaos;
}

recordStories({ ...around(STORIES, record), 'chaos-signed-game-day': signedGameDay }, startDeployment);
