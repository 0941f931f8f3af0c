import type { Pool } from 'pg';
import { z } from 'zod';
import {
  type ContainmentContext,
  type ContainmentTarget,
  prepareContainment,
  readContainments,
} from '../../core/containment';
import { coreTypes, defineJob, jobsByType } from '../../core/jobs';
import { applyMigrations } from '../../database';
import { type JobDatabase, startJobDatabase } from '../support/job-database';

/** Invariant 7 of core/containment: core work of all tenants is never stopped; that of one is named, for a limited time. */

let database: JobDatabase;
let platform: Pool;
let ctx: ContainmentContext;

const ofType = (type: string, core: boolean) =>
  defineJob({ type, core, input: z.object({}), run: async () => undefined });

beforeAll(async () => {
  database = await startJobDatabase();
  platform = await database.postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  const jobs = jobsByType([ofType('post-entry', true), ofType('take-payment', true), ofType('mail', false)]);
  ctx = {
    config: database.configWith(),
    platform,
    application: database.pool,
    coreTypes: async (type = '') => coreTypes(jobs, type),
  };
}, 240_000);
afterAll(() => database?.stop());
beforeEach(() => platform.query('truncate chronawflow.containment cascade'));

const prepare = (target: ContainmentTarget, forMs?: number) =>
  prepareContainment(
    ctx,
    { target, reason: 'a test', requestedBy: 'ada', ...(forMs === undefined ? {} : { forMs }) },
    `containment/${JSON.stringify(target)}`,
  );

test('a core type is not held for all tenants: it is refused by its name, and nothing is written down', async () => {
  await expect(prepare({ strategy: 'hold-queue', type: 'post-entry' })).rejects.toMatchObject({
    code: 'CORE_TYPE_HELD',
    kind: 'refused',
    retryable: false,
    details: { types: ['post-entry'] },
  });
  expect(await readContainments(platform, { all: true })).toEqual([]);
});

test('a type that is not core is held for all tenants, and stops no core work', async () => {
  expect(await prepare({ strategy: 'hold-queue', type: 'mail' })).toMatchObject({
    parts: [{ kind: 'hold', type: 'mail' }],
    stopsCore: [],
  });
});

test.each<[string, ContainmentTarget, readonly string[]]>([
  ['a held core type', { strategy: 'hold-queue', type: 'post-entry', tenant: 'a' }, ['post-entry']],
  ['all of its jobs held', { strategy: 'hold-queue', tenant: 'a' }, ['post-entry', 'take-payment']],
  ['isolation', { strategy: 'isolate-tenant', tenant: 'a' }, ['post-entry', 'take-payment']],
  ['reading only', { strategy: 'read-only', tenant: 'a' }, ['post-entry', 'take-payment']],
])(
  'of one tenant core work may be stopped by %s: named in the record, and with an end',
  async (_, target, stopped) => {
    const { stopsCore, endsInMs } = await prepare(target);
    expect([...stopsCore].sort()).toEqual(stopped);
    expect(endsInMs).toBeLessThanOrEqual(ctx.config.containment.for);
    const [record] = await readContainments(platform);
    expect([...(record?.stopsCore ?? [])].sort()).toEqual(stopped);
    expect(Date.parse(record?.endsAt ?? '')).toBeGreaterThan(Date.parse(record?.startedAt ?? ''));
  },
);

test('no containment lasts longer than its limit', async () => {
  const { longest } = ctx.config.containment;
  await expect(prepare({ strategy: 'isolate-tenant', tenant: 'a' }, longest + 1)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    details: { longestMs: longest },
  });
});
