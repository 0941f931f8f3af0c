import type { Pool } from 'pg';
import { z } from 'zod';
import type { Config } from '../../config';
import { defineJob, JobQueue, jobsByType, type SubmitRequest } from '../../core/jobs';
import { type JobDatabase, startJobDatabase } from '../support/job-database';

const mail = defineJob({ type: 'mail', input: z.object({ to: z.string() }), run: async () => undefined });
const MAX_INPUT = 10_000;

let database: JobDatabase;
let pool: Pool;
let config: Config;
let queue: JobQueue;

beforeAll(async () => {
  database = await startJobDatabase({
    tenants: `create table tenants (id text primary key); insert into tenants values ('a')`,
    connections: 5,
  });
  pool = database.pool;
  config = database.configWith({ maxInput: MAX_INPUT });
  queue = new JobQueue({ pool, config: config.jobs, tenancy: config.tenancy, jobs: jobsByType([mail]) });
});
afterAll(() => database?.stop());
beforeEach(() => pool.query('truncate chronawflow.job'));

const good = (key: string): SubmitRequest => ({ tenant: 'a', type: 'mail', key, input: { to: 'x' } });

/** As a program without types, or a file, may have it. */
const bad = (change: object): SubmitRequest => Object.assign(good('bad'), change);

const cycle: { self?: unknown } = {};
cycle.self = cycle;

const CASES: readonly [string, SubmitRequest, { readonly code: string; readonly says?: string }][] = [
  ['an unknown type', bad({ type: 'mial' }), { code: 'UNKNOWN_JOB_TYPE', says: 'mail' }],
  ['an input of another shape', bad({ input: { to: 7 } }), { code: 'INVALID_INPUT', says: 'to' }],
  ['no input', bad({ input: undefined }), { code: 'INVALID_INPUT' }],
  ['an input that JSON cannot keep', bad({ input: { to: 'x', at: new Date() } }), { code: 'INVALID_INPUT' }],
  ['an input with a cycle', bad({ input: { to: 'x', cycle } }), { code: 'INVALID_INPUT', says: 'cycle' }],
  ['a key that is too long', bad({ key: 'k'.repeat(301) }), { code: 'INVALID_INPUT', says: '300 bytes' }],
  ['a key of long characters', bad({ key: '💶'.repeat(76) }), { code: 'INVALID_INPUT', says: '300 bytes' }],
  ['a key with a NUL', bad({ key: 'a\0b' }), { code: 'INVALID_INPUT' }],
  ['an empty key', bad({ key: '' }), { code: 'INVALID_INPUT' }],
  ['no key', bad({ key: undefined }), { code: 'INVALID_INPUT' }],
  ['an unknown tenant', bad({ tenant: 'nobody' }), { code: 'UNKNOWN_TENANT', says: 'nobody' }],
  ['a tenant that is too long', bad({ tenant: 't'.repeat(201) }), { code: 'INVALID_INPUT' }],
  ['a level that is none', bad({ priority: 6 }), { code: 'INVALID_INPUT', says: 'priority' }],
  ['a time without a zone', bad({ runAt: '2026-11-23 10:15' }), { code: 'INVALID_INPUT', says: 'runAt' }],
  [
    'an input that is too large',
    bad({ input: { to: 'x'.repeat(MAX_INPUT) } }),
    { code: 'INPUT_TOO_LARGE', says: 'reference' },
  ],
];

test.each(CASES)('%s is refused at submission, with what to do', async (_, request, { code, says = '' }) => {
  const refusal: unknown = await queue.submit(request).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code });
  expect(JSON.stringify(refusal)).toContain(says);
  const outcomes: string[] = [];
  for await (const item of queue.submitMany([good('before'), request, good('after')]))
    outcomes.push(item.outcome === 'refused' ? item.error.code : item.outcome);
  expect(outcomes).toEqual(['submitted', code, 'submitted']);
});

test('the largest input that fits is kept whole, and the longest key', async () => {
  const to = 'ü'.repeat((MAX_INPUT - '{"to":""}'.length) / 2 - 1);
  const key = 'k'.repeat(300);
  await queue.submit({ ...good(key), input: { to } });
  const { rows } = await pool.query('select key, input from chronawflow.job');
  expect(rows).toEqual([{ key, input: { to } }]);
});

test('thousands stream: items are taken as outcomes are, and every one has its own, in order', async () => {
  const COUNT = 5_000;
  let taken = 0;
  async function* requests(): AsyncGenerator<SubmitRequest> {
    for (; taken < COUNT; taken += 1) yield taken % 100 === 99 ? bad({ type: 'mial' }) : good(`k${taken}`);
  }
  let seen = 0;
  let ahead = 0;
  for await (const item of queue.submitMany(requests())) {
    ahead = Math.max(ahead, taken - seen);
    const refused = seen % 100 === 99;
    expect([item.key, item.outcome]).toEqual(refused ? ['bad', 'refused'] : [`k${seen}`, 'submitted']);
    seen += 1;
  }
  expect(seen).toBe(COUNT);
  expect(ahead).toBeLessThanOrEqual(1_000);
  const { rows } = await pool.query('select count(*)::integer as n from chronawflow.job');
  expect(rows).toEqual([{ n: COUNT - COUNT / 100 }]);
});

test('a stream that its reader leaves stops there; what has no outcome may be submitted again', async () => {
  const requests = Array.from({ length: 1_200 }, (_, n) => good(`k${n}`));
  for await (const { key } of queue.submitMany(requests)) if (key === 'k10') break;
  const left = await pool.query('select from chronawflow.job');
  expect(left.rowCount).toBeLessThan(1_200);
  const again: Record<string, number> = {};
  for await (const { outcome } of queue.submitMany(requests)) again[outcome] = (again[outcome] ?? 0) + 1;
  expect(again).toEqual({ known: left.rowCount, submitted: 1_200 - (left.rowCount ?? 0) });
});

test('a type that no live worker has code for is taken and waits, and its status says so', async () => {
  await queue.submit(good('k'));
  expect(await queue.status(good('k'))).toMatchObject({ state: 'waiting', noWorker: true });
});
