import { z } from 'zod';
import { defineBatchJob } from '../../core/jobs';
import type { CleanUp } from '../support/clean-up';
import { type JobStage, openJobScene } from '../support/job-stage';
import { useJobStage } from '../support/job-stages';
import { until } from '../support/until';

let stage: JobStage;
let cleanUp: CleanUp;
useJobStage((opened) => {
  ({ stage, cleanUp } = opened);
});

/** Closed until it is opened. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

const chunks: number[] = [];
let failAfter = Number.POSITIVE_INFINITY;

const importLines = defineBatchJob({
  type: 'import',
  item: z.object({ id: z.string(), bad: z.boolean().default(false) }),
  itemKey: (line) => line.id,
  chunkSize: 10,
  retry: { maxAttempts: 2, initial: 5, max: 20 },
  runBatch: async (ctx, lines, tx) => {
    chunks.push(lines.length);
    await tx.query('insert into effect select unnest($1::text[])', [lines.map((line) => line.id)]);
    if (lines.some((line) => line.bad)) throw new RangeError('a line without an amount');
    failAfter -= 1;
    if (failAfter < 0 && ctx.attempt === 1) throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
  },
});

const lines = (count: number, bad: readonly number[] = []) =>
  Array.from({ length: count }, (_, n) => ({ id: `line ${n}`, bad: bad.includes(n) }));

async function effects(): Promise<string[]> {
  const { rows } = await stage.app.query<{ name: string }>('select name from effect order by name');
  return rows.map((row) => row.name);
}

const names = (count: number, without: readonly number[] = []) =>
  lines(count)
    .map((line) => line.id)
    .filter((_, n) => !without.includes(n))
    .sort();

test('many items are done in few transactions, each once', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [importLines]);
  chunks.length = 0;
  const ref = { tenant: 't1', type: 'import', key: 'november' };
  const job = await cf.jobs.submit({ ...ref, input: { items: lines(25) } });
  expect(await job.result()).toEqual({ done: 25, before: 0, split: 0 });
  expect(chunks).toEqual([10, 10, 5]);
  expect(await effects()).toEqual(names(25));
});

test('an item that fails is tried again alone and becomes a dead letter alone', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [importLines]);
  const ref = { tenant: 't1', type: 'import', key: 'december' };
  const job = await cf.jobs.submit({ ...ref, input: { items: lines(25, [3, 17]) } });
  expect(await job.result()).toEqual({ done: 23, before: 0, split: 2 });
  expect(await effects()).toEqual(names(25, [3, 17]));
  for (const n of [3, 17]) {
    const part = cf.jobs.handle({ ...ref, key: `december/item line ${n}` });
    await expect(part.result()).rejects.toMatchObject({ code: 'JOB_DEAD' });
    expect(await part.status()).toMatchObject({ attempts: 2, errors: [{ code: 'RangeError' }, {}] });
  }
  // Mended by an operator, the item is done, once.
  await cf.jobs.redrive({ ...ref, key: 'december/item line 3' }, { input: { items: lines(4).slice(3) } });
  await cf.jobs.handle({ ...ref, key: 'december/item line 3' }).result();
  expect(await effects()).toEqual(names(25, [17]));
});

test('an attempt after a crash goes on with the first chunk that is not recorded', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [importLines]);
  failAfter = 1;
  const job = await cf.jobs.submit({
    tenant: 't1',
    type: 'import',
    key: 'january',
    input: { items: lines(25) },
  });
  expect(await job.result()).toEqual({ done: 15, before: 10, split: 0 });
  failAfter = Number.POSITIVE_INFINITY;
  expect(await effects()).toEqual(names(25));
});

test('in an ordered batch an item that fails holds back its own line, until it is mended', async () => {
  const postings: string[] = [];
  let broken = true;
  const post = defineBatchJob({
    type: 'post',
    item: z.object({ account: z.string(), n: z.number() }),
    itemKey: (item) => `${item.account} ${item.n}`,
    orderBy: (item) => item.account,
    chunkSize: 4,
    retry: { maxAttempts: 1 },
    runBatch: async (_ctx, items) => {
      if (broken && items.some((item) => item.account === 'a' && item.n === 1)) throw new RangeError('no');
      postings.push(...items.map((item) => `${item.account} ${item.n}`));
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [post]);
  const items = [0, 1, 2, 3].flatMap((n) => [
    { account: 'a', n },
    { account: 'b', n },
  ]);
  const ref = { tenant: 't1', type: 'post', key: 'day' };
  const job = await cf.jobs.submit({ ...ref, input: { items } });
  expect(await job.result()).toEqual({ done: 5, before: 0, split: 3 });
  const line = cf.jobs.handle({ ...ref, key: 'day/item a 1' });
  await expect(line.result()).rejects.toMatchObject({ code: 'JOB_DEAD' });
  broken = false;
  await cf.jobs.redrive(line.ref);
  expect(await line.result()).toEqual({ done: 3, before: 0, split: 0 });
  for (const account of ['a', 'b'])
    expect(postings.filter((one) => one.startsWith(account))).toEqual(
      [0, 1, 2, 3].map((n) => `${account} ${n}`),
    );
});

test('a batch tells how far it is, in its status and in Temporal’s heartbeat', async () => {
  const gate = new Gate();
  const slow = defineBatchJob({
    type: 'slow',
    item: z.number(),
    itemKey: String,
    chunkSize: 10,
    runBatch: async (_ctx, [first]) => {
      if (first === 20) await gate.opened;
    },
  });
  const { cf } = await openJobScene(stage, cleanUp, [slow]);
  cleanUp.add(async () => gate.open());
  const input = { items: Array.from({ length: 50 }, (_, n) => n) };
  const job = await cf.jobs.submit({ tenant: 't1', type: 'slow', key: 'k', input });
  await until(async () => (await job.status()).progress?.done === 20, { what: 'the status to tell' });
  expect(await job.status()).toMatchObject({ state: 'running', progress: { done: 20, total: 50 } });
  await until(
    async () => {
      const { raw } = await stage.describe(job.workflowId);
      const [details] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
      return details?.data?.toString() === '{"done":20,"total":50}';
    },
    { what: 'the heartbeat to tell' },
  );
  gate.open();
  await job.result();
});

test('items with one key, or without one, are refused at submission', async () => {
  const { cf } = await openJobScene(stage, cleanUp, [importLines]);
  const submit = (ids: readonly string[]) =>
    cf.jobs.submit({ tenant: 't1', type: 'import', key: 'k', input: { items: ids.map((id) => ({ id })) } });
  for (const ids of [['a', 'a'], [''], ['x'.repeat(201)], []]) {
    await expect(submit(ids)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  }
});
