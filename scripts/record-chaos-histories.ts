/**
 * `node -r ./scripts/register.cjs scripts/record-chaos-histories.ts`: one history for each way through the workflow of chaos
 * experiments, beside those of record-histories.ts and under the same promise. Needs the build.
 */
import type { ChaosRun } from '../client';
import { type ChaosDeployment, startChaosDeployment } from '../test/support/chaos-temporal';
import { until } from '../test/support/until';
import { isRecorded, saveHistory } from './histories/save-history';

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
  'chaos-cancelled': async (chaos) => {
    const run = await start(chaos, experiment(chaos, { duration: '60s' }));
    await until(async () => (await run.status()).phase === 'observing');
    await run.abort();
    return run;
  },
  'chaos-game-day': async (chaos) => {
    const run = await start(chaos, experiment(chaos), { confirmEachStep: true });
    for (const step of ['inject', 'roll back']) {
      await until(async () => (await run.status()).awaits?.startsWith(step) === true);
      await run.confirm({ as: 'grace' });
    }
    return run;
  },
  'chaos-dry-run': (chaos) => start(chaos, experiment(chaos), { dryRun: true }),
};

async function main(): Promise<void> {
  const chaos = await startChaosDeployment({ leaseTerm: '10s' });
  try {
    await chaos.startWorker();
    for (const [name, story] of Object.entries(STORIES)) {
      if (isRecorded(name)) {
        console.log(`${name}: kept`);
        continue;
      }
      chaos.service.status = 200;
      const run = await story(chaos);
      // However the run ends, its history is what is wanted.
      await run.result().catch((error: unknown) => error);
      await saveHistory(chaos.temporal, run.workflowId, name);
      console.log(`${name}: recorded`);
    }
  } finally {
    await chaos.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
