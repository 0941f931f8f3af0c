import { Connection } from '@temporalio/client';
import { z } from 'zod';
import { Chronawflow } from '../../client';
import { checkTemporal } from '../../client/cli/check-temporal';
import { BUSY, judgeFairness, probeFairness } from '../../client/cli/probe-fairness';
import { parseConfig } from '../../config';
import { defineJob } from '../../core/jobs';
import { CleanUp } from '../support/clean-up';
import { clearQueue, type JobStage, rawJobConfig, startJobStage, startJobWorker } from '../support/job-stage';
import { startPlainTemporal } from '../support/plain-temporal';
import { until } from '../support/until';

const NEW_MATCHER = 'matching.useNewMatcher=true';
const FAIRNESS = 'matching.enableFairness=true';
const ONE_PARTITION = ['matching.numTaskqueueReadPartitions=1', 'matching.numTaskqueueWritePartitions=1'];

let cleanUp: CleanUp;
beforeEach(() => {
  cleanUp = new CleanUp();
});
afterEach(() => cleanUp.run());

async function connectTo(...settings: readonly string[]) {
  const server = await startPlainTemporal(...settings);
  cleanUp.add(() => server.stop());
  const connection = await Connection.connect({ address: server.address });
  cleanUp.add(() => connection.close());
  return { ...server, connection };
}

const CASES: readonly [string, readonly string[], object][] = [
  ['both settings', [NEW_MATCHER, FAIRNESS], { state: 'ok' }],
  ['none', [], { state: 'warning', detail: expect.stringContaining('matching.useNewMatcher') }],
  [
    'priority alone',
    [NEW_MATCHER],
    { state: 'warning', detail: expect.stringContaining('matching.enableFairness') },
  ],
  [
    'priority alone and one partition',
    [NEW_MATCHER, ...ONE_PARTITION],
    { state: 'warning', detail: expect.stringContaining('matching.enableFairness') },
  ],
];

test.each(CASES)(
  'a server with %s is told apart, and nothing is left running on it',
  async (_, settings, found) => {
    const { connection } = await connectTo(...settings);
    expect(judgeFairness(await probeFairness(connection, 'default'))).toMatchObject({
      name: 'priority and fairness',
      ...found,
    });
    await until(async () => {
      const { count } = await connection.workflowService.countWorkflowExecutions({
        namespace: 'default',
        query: 'ExecutionStatus = "Running"',
      });
      return Number(count) === 0;
    });
  },
);

test('what the tasks’ order shows is judged as documented', () => {
  const facts = { atTheirPriority: true, before: 3 };
  expect(judgeFairness(facts).state).toBe('ok');
  expect(judgeFairness({ ...facts, before: BUSY }).state).toBe('warning');
  expect(judgeFairness({ ...facts, atTheirPriority: false }).fix).toContain('Caps and fair shares hold');
});

test('on a server without priority and fairness caps hold, and a tenant’s backlog keeps no other one waiting', async () => {
  const stage: JobStage = await startJobStage();
  cleanUp.add(() => stage.stop());
  const { address } = await connectTo();
  const look = { address, namespace: 'default', taskQueue: 'plain', tls: false };
  const findings = await checkTemporal(look).look();
  expect(findings.find(({ name }) => name === 'priority and fairness')).toMatchObject({ state: 'warning' });
  await clearQueue(stage);
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const ended: string[] = [];
  const work = defineJob({
    type: 'work',
    input: z.null(),
    run: async ({ tenant, key }) => {
      const now = (running.get(tenant) ?? 0) + 1;
      running.set(tenant, now);
      most.set(tenant, Math.max(most.get(tenant) ?? 0, now));
      await new Promise((resolve) => setTimeout(resolve, 30));
      running.set(tenant, (running.get(tenant) ?? 0) - 1);
      ended.push(`${tenant} ${key}`);
    },
  });
  const raw = rawJobConfig(
    { ...stage, temporal: { ...stage.temporal, address } },
    { slots: 6, tenantInFlight: 3 },
    'plain',
  );
  const config = parseConfig(JSON.stringify(raw), { file: '/none/chronawflow.yaml', env: {} });
  const cf = await Chronawflow.connect({ config, jobs: [work] });
  cleanUp.add(() => cf.close());
  const request = (tenant: string, n: number) => ({ tenant, type: 'work', key: `k${n}`, input: null });
  const many = Array.from({ length: 60 }, (_, n) => request('t1', n));
  const few = Array.from({ length: 6 }, (_, n) => request('t2', n));
  for await (const item of cf.jobs.submitMany([...many, ...few])) expect(item.outcome).toBe('submitted');
  const worker = await startJobWorker(stage, config, [work]);
  cleanUp.add(() => worker.stop());
  await until(() => ended.length === 66, { limitMs: 120_000, what: 'every job' });
  expect(most.get('t1')).toBeLessThanOrEqual(3);
  expect(most.get('t2')).toBeLessThanOrEqual(3);
  // The first in, first out of the server would have had them last.
  const last = Math.max(...few.map(({ key }) => ended.indexOf(`t2 ${key}`)));
  expect(last).toBeLessThan(40);
}, 240_000);
