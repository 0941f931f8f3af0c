import { IdempotencyManager } from '../../core/idempotency';
import { listUndone } from '../../core/jobs';
import { BatchRecords } from '../../core/jobs/store/batch-records';
import { onceInTransaction } from '../../core/jobs/store/once';
import { pageUndone } from '../../core/recovery';
import { mergeRestore } from '../../core/recovery/merge/merge-restore';
import { sliceSchemas } from '../../core/recovery/slice/load-slice';
import { LEASE_MS, useEffectsLab } from '../support/effects-lab';

const at = useEffectsLab();
const { begin, bill, complete, done, invoices, stateOf, open } = at;

test('21: records stay and what was completed after the target is marked, by the commit and not by its own time', async () => {
  await done('before');
  const late = await begin('late');
  const target = await at.lab.captureTarget();
  // Its own time lies before the target, its commit behind it.
  await at.lab.live.query(`insert into invoice values ('a late', 'a')`);
  await at.pool.query(
    `insert into chronawflow.idempotency (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at)
     values ('a', 'job ["bill","late"]', 'post', '', 'completed', $1, now(), now() - interval '1 hour')`,
    [late.owner],
  );
  await complete(late);
  await done('after');
  await done('after', 'b');
  const requests = new IdempotencyManager(at.pool);
  await requests.execute({ tenant: 'a', scope: 'POST /invoices', key: 'r1' }, { n: 1 }, async (tx) => {
    await tx.query(`insert into invoice values ('a r1', 'a')`);
    return { id: 'a r1' };
  });
  const records = await at.lab.live.query(
    'select * from chronawflow.idempotency order by tenant, scope, key',
  );
  const jobs = await at.lab.live.query(
    'select tenant, type, key, state, owner, result from chronawflow.job order by tenant, type, key',
  );

  const { preview, merge, restoreId } = await at.lab.restore('a', target);
  expect(preview.undoneEffects).toEqual({ jobs: 2, steps: 2, requests: 1 });
  expect(merge).toMatchObject({ kind: 'merged', undoneEffects: { jobs: 2, steps: 2, requests: 1 } });
  expect(preview.tables.map(({ table }) => table).filter((name) => name.startsWith('chronawflow'))).toEqual(
    [],
  );
  expect(await invoices()).toEqual(['a before', 'b after']);
  expect(
    (await at.lab.live.query('select * from chronawflow.idempotency order by tenant, scope, key')).rows,
  ).toEqual(records.rows);
  expect(
    (
      await at.lab.live.query(
        'select tenant, type, key, state, owner, result from chronawflow.job order by tenant, type, key',
      )
    ).rows,
  ).toEqual(jobs.rows);
  expect(await open()).toEqual([
    { kind: 'job', key: 'late', steps: ['post'], ended: true },
    { kind: 'job', key: 'after', steps: ['post'], ended: true },
    { kind: 'request', key: 'r1', steps: [], ended: false },
  ]);
  expect(await open('b')).toEqual([]);
  expect(await pageUndone(at.lab.context, restoreId, {})).toMatchObject([
    { kind: 'request', type: 'POST /invoices', key: 'r1', state: 'open' },
    { kind: 'job', key: 'after' },
    { kind: 'step', key: 'after', step: 'post' },
    { kind: 'job', key: 'late' },
    { kind: 'step', key: 'late', step: 'post' },
  ]);
});

test('21: the rows of the preview are there before the merge, and a restore that ends without one marks nothing', async () => {
  const target = await at.lab.captureTarget();
  await done('after');
  const prepared = await at.lab.prepare('a', target);
  expect(await pageUndone(at.lab.context, prepared.restoreId, {})).toMatchObject([
    { kind: 'job', key: 'after' },
    { kind: 'step', key: 'after', step: 'post' },
  ]);
  await prepared.end();
  expect(await open()).toEqual([]);
});

test('21: a step that is committing is waited for before the merge begins, and its job is stopped with it', async () => {
  const attempt = await begin('k');
  const target = await at.lab.captureTarget();
  await bill(attempt, 'a first', 'first');
  const prepared = await at.lab.prepare('a', target);
  const [inside, enter] = gate();
  const [held, goOn] = gate();
  // Without rows of the tenant, so that the freeze does not end it.
  const step = onceInTransaction(
    at.pool,
    attempt,
    'outside',
    async () => {
      enter();
      await held;
    },
    LEASE_MS,
  );
  await inside;
  const [waiting, waits] = gate();
  const request = {
    restoreId: prepared.restoreId,
    modes: { create: true, update: true, delete: true },
    decisions: [],
    allowEmpty: false,
  };
  const merging = mergeRestore(at.lab.context, request, prepared.preview.diffHash, {
    progress: ({ step: name }) => name.startsWith('waiting for steps') && waits(),
  });
  await waiting;
  expect(await stateOf('k')).toBe('running');
  goOn();
  await step;
  expect(await merging).toMatchObject({ kind: 'merged', undoneEffects: { jobs: 1, steps: 2 } });
  await prepared.end();
  await expect(complete(attempt)).resolves.toEqual([false]);
  expect(await stateOf('k')).toBe('dead');
});

test('21: job and key are told apart whatever characters they have', async () => {
  const target = await at.lab.captureTarget();
  const keys = ['a"b', 'back\\slash', 'new\nline', 'tab\tbell\u0007', 'ünï💶', '/', ' ', '\u007f'];
  for (const key of keys) await done(key);
  await at.lab.restore('a', target);
  const found = await listUndone(at.pool, { tenant: 'a' }, 100);
  expect(found.map(({ kind, key, steps }) => [kind, key, ...steps])).toEqual(
    keys.map((key) => ['job', key, 'post']),
  );
});

test('21: an item that a batch moved to a job of its own is that job’s to decide', async () => {
  const parent = await begin('batch');
  const target = await at.lab.captureTarget();
  const records = new BatchRecords(at.pool, parent, LEASE_MS);
  await records.onceForEach(['item 1'], async (tx) => {
    await tx.query(`insert into invoice values ('a 1', 'a')`);
  });
  await records.splitOff(['item 2'], { key: 'batch/item 2', input: {}, fingerprint: 'f' });
  await complete(parent);
  await done('batch/item 2');
  await at.lab.restore('a', target);
  expect(await open()).toEqual([
    { kind: 'job', key: 'batch', steps: ['item 1'], ended: true },
    { kind: 'job', key: 'batch/item 2', steps: ['post'], ended: true },
  ]);
});

test('21: a later restore to a target that has the effects takes an earlier one’s marks away', async () => {
  const first = await at.lab.captureTarget();
  await done('k');
  const second = await at.lab.captureTarget();
  await at.lab.restore('a', first);
  expect(await open()).toHaveLength(1);
  await at.lab.restore('a', second);
  expect(await invoices()).toEqual(['a k']);
  expect(await open()).toEqual([]);
});

test('21: a server that emptied the staging does not mark everything', async () => {
  await done('before');
  const target = await at.lab.captureTarget();
  await done('after');
  const prepared = await at.lab.prepare('a', target);
  await at.lab.live.query(`truncate chronawflow."${prepared.restoreId}_completed_0"`);
  await expect(prepared.merge()).rejects.toMatchObject({ code: 'STAGING_LOST' });
  await prepared.end();
  expect(await open()).toEqual([]);
});

test('21: a target from before the tables were made has completed nothing', async () => {
  const target = await at.lab.captureTarget();
  await target.query('drop table chronawflow.idempotency, chronawflow.job cascade');
  await done('k');
  await at.lab.restore('a', target);
  expect(await open()).toHaveLength(1);
});

test('21: no slice takes in the schema of the platform', () => {
  const { tenancy } = at.lab.app.config;
  expect(() => sliceSchemas({ ...tenancy, schemas: ['public', 'chronawflow'] }, 'a')).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  );
  const bySchema = { ...tenancy, model: 'schema', schemaName: '{tenant}' } as const;
  expect(() => sliceSchemas(bySchema, 'chronawflow')).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  );
  expect(sliceSchemas(bySchema, 'acme')).toEqual(['acme']);
});

/** A promise, and what resolves it. */
function gate(): [Promise<void>, () => void] {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [promise, () => open()];
}
