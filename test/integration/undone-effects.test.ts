import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { forwardOutbox } from '../../core/audit';
import { IdempotencyManager } from '../../core/idempotency';
import { leaveUndone, listUndone, redrive, redriveUndone } from '../../core/jobs';
import { BatchRecords } from '../../core/jobs/store/batch-records';
import { beginAttempts } from '../../core/jobs/store/begin-attempts';
import { completeAttempts } from '../../core/jobs/store/complete-attempts';
import { onceInTransaction } from '../../core/jobs/store/once';
import { pageUndone } from '../../core/recovery';
import { mergeRestore } from '../../core/recovery/merge/merge-restore';
import { sliceSchemas } from '../../core/recovery/slice/load-slice';
import { inTransaction } from '../../database';
import { type RealApplication, startApplication } from '../support/real-application';
import { openWorld, type SliceLab, type World } from '../support/slice-lab';

const SCHEMA = `
  create table tenants (id text primary key); insert into tenants values ('a'), ('b');
  create table invoice (id text primary key, tenant_id text not null references tenants)`;
const LEASE_MS = 60_000;

let app: RealApplication;
let lab: SliceLab;
let pool: Pool;

beforeAll(async () => {
  app = await startApplication({ backup: false });
});
beforeEach(async () => {
  lab = await openWorld(app, { schema: SCHEMA } satisfies World);
  pool = lab.app.application;
});
afterEach(() => lab?.drop());
afterAll(() => app?.stop());

interface Attempt {
  readonly tenant: string;
  readonly type: string;
  readonly key: string;
  readonly owner: string;
}

/** As a worker would have it: submitted, handed over, begun. */
async function begin(key: string, tenant = 'a'): Promise<Attempt> {
  const attempt = { tenant, type: 'bill', key, owner: randomUUID() };
  await pool.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     values ($1, $2, $3, 'f', '{}', 3, 'handed', clock_timestamp(), clock_timestamp() + interval '1 minute')
     on conflict (tenant, type, key) do update set state = 'handed', lease_until = excluded.lease_until`,
    [attempt.tenant, attempt.type, attempt.key],
  );
  expect(await beginAttempts(pool, [attempt], LEASE_MS)).toMatchObject([{ kind: 'begun' }]);
  return attempt;
}

const bill = (attempt: Attempt, id: string, step = 'post') =>
  onceInTransaction(
    pool,
    attempt,
    step,
    async (tx) => {
      await tx.query('insert into invoice values ($1, $2)', [id, attempt.tenant]);
      return { id };
    },
    LEASE_MS,
  );

const complete = (attempt: Attempt) => completeAttempts(pool, [{ ...attempt, result: null }], LEASE_MS);

const invoices = async () =>
  (await lab.live.query<{ id: string }>('select id from invoice order by id')).rows.map((row) => row.id);

const stateOf = async (key: string) =>
  (await lab.live.query<{ state: string }>('select state from chronawflow.job where key = $1', [key])).rows[0]
    ?.state;

const open = async (tenant = 'a') =>
  (await listUndone(pool, { tenant }, 100)).map(({ kind, key, steps, ended }) => ({
    kind,
    key,
    steps,
    ended,
  }));

/** A whole job: one invoice, done. */
async function done(key: string, tenant = 'a'): Promise<void> {
  const attempt = await begin(key, tenant);
  await bill(attempt, `${tenant} ${key}`);
  await complete(attempt);
}

test('21: records stay and what was completed after the target is marked, by the commit and not by its own time', async () => {
  await done('before');
  const late = await begin('late');
  const target = await lab.captureTarget();
  // Its own time lies before the target, its commit behind it.
  await lab.live.query(`insert into invoice values ('a late', 'a')`);
  await pool.query(
    `insert into chronawflow.idempotency (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at)
     values ('a', 'job ["bill","late"]', 'post', '', 'completed', $1, now(), now() - interval '1 hour')`,
    [late.owner],
  );
  await complete(late);
  await done('after');
  await done('after', 'b');
  const requests = new IdempotencyManager(pool);
  await requests.execute({ tenant: 'a', scope: 'POST /invoices', key: 'r1' }, { n: 1 }, async (tx) => {
    await tx.query(`insert into invoice values ('a r1', 'a')`);
    return { id: 'a r1' };
  });
  const records = await lab.live.query('select * from chronawflow.idempotency order by tenant, scope, key');
  const jobs = await lab.live.query(
    'select tenant, type, key, state, owner, result from chronawflow.job order by tenant, type, key',
  );

  const { preview, merge, restoreId } = await lab.restore('a', target);
  expect(preview.undoneEffects).toEqual({ jobs: 2, steps: 2, requests: 1 });
  expect(merge).toMatchObject({ kind: 'merged', undoneEffects: { jobs: 2, steps: 2, requests: 1 } });
  expect(preview.tables.map(({ table }) => table).filter((name) => name.startsWith('chronawflow'))).toEqual(
    [],
  );
  expect(await invoices()).toEqual(['a before', 'b after']);
  expect(
    (await lab.live.query('select * from chronawflow.idempotency order by tenant, scope, key')).rows,
  ).toEqual(records.rows);
  expect(
    (
      await lab.live.query(
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
  expect(await pageUndone(lab.context, restoreId, {})).toMatchObject([
    { kind: 'request', type: 'POST /invoices', key: 'r1', state: 'open' },
    { kind: 'job', key: 'after' },
    { kind: 'step', key: 'after', step: 'post' },
    { kind: 'job', key: 'late' },
    { kind: 'step', key: 'late', step: 'post' },
  ]);
});

test('21: the rows of the preview are there before the merge, and a restore that ends without one marks nothing', async () => {
  const target = await lab.captureTarget();
  await done('after');
  const prepared = await lab.prepare('a', target);
  expect(await pageUndone(lab.context, prepared.restoreId, {})).toMatchObject([
    { kind: 'job', key: 'after' },
    { kind: 'step', key: 'after', step: 'post' },
  ]);
  await prepared.end();
  expect(await open()).toEqual([]);
});

test('21: a redrive does the undone steps again and no other; what is kept, and what was done before the target, stays', async () => {
  const attempt = await begin('k');
  await bill(attempt, 'a first', 'first');
  const target = await lab.captureTarget();
  await bill(attempt, 'a second', 'second');
  await bill(attempt, 'a third', 'third');
  await complete(attempt);
  await lab.restore('a', target);
  expect(await invoices()).toEqual(['a first']);
  expect(await open()).toEqual([{ kind: 'job', key: 'k', steps: ['second', 'third'], ended: true }]);

  const ref = { tenant: 'a', type: 'bill', key: 'k' };
  await redriveUndone(pool, ref, { by: 'ada', keep: ['third'] });
  expect(await stateOf('k')).toBe('waiting');
  const again = await begin('k');
  await bill(again, 'a first', 'first');
  await bill(again, 'a second', 'second');
  await bill(again, 'a third', 'third');
  await complete(again);
  expect(await invoices()).toEqual(['a first', 'a second']);
  expect(await open()).toEqual([]);
  await expect(redriveUndone(pool, ref, { by: 'ada' })).rejects.toMatchObject({ code: 'NOTHING_UNDONE' });
});

test('21: a job that is not over is stopped, its running attempt fenced, and goes on only by a decision', async () => {
  const running = await begin('running');
  const waiting = await begin('waiting');
  const target = await lab.captureTarget();
  await bill(running, 'a running');
  await bill(waiting, 'a waiting');
  await pool.query(`update chronawflow.job set state = 'waiting', lease_until = null where key = 'waiting'`);
  await lab.restore('a', target);
  expect([await stateOf('running'), await stateOf('waiting')]).toEqual(['dead', 'dead']);
  await expect(bill(running, 'a late', 'late')).rejects.toMatchObject({ code: 'JOB_FENCED' });
  expect(await complete(running)).toEqual([false]);
  const { rows } = await lab.live.query('select key, reason from chronawflow.dead_letter order by key');
  expect(rows).toEqual([
    { key: 'running', reason: 'EFFECTS_UNDONE' },
    { key: 'waiting', reason: 'EFFECTS_UNDONE' },
  ]);
  const ref = { tenant: 'a', type: 'bill', key: 'running' };
  // As for any dead job this would keep the undone step, and lose its effect without a word.
  await expect(redrive(pool, ref, { by: 'ada' })).rejects.toMatchObject({ code: 'EFFECTS_UNDONE' });
  await redriveUndone(pool, ref, { by: 'ada' });
  const again = await begin('running');
  await bill(again, 'a running');
  await complete(again);
  await leaveUndone(pool, { ...ref, key: 'waiting' }, { by: 'ada', retentionMs: 1_000 });
  await redrive(pool, { ...ref, key: 'waiting' }, { by: 'ada' });
  const goesOn = await begin('waiting');
  await bill(goesOn, 'a waiting');
  expect(await invoices()).toEqual(['a running']);
});

test('21: a step that is committing is waited for before the merge begins, and its job is stopped with it', async () => {
  const attempt = await begin('k');
  const target = await lab.captureTarget();
  await bill(attempt, 'a first', 'first');
  const prepared = await lab.prepare('a', target);
  const [inside, enter] = gate();
  const [held, goOn] = gate();
  // Without rows of the tenant, so that the freeze does not end it.
  const step = onceInTransaction(
    pool,
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
  const merging = mergeRestore(lab.context, request, prepared.preview.diffHash, {
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

test('21: a request that was undone keeps its answer until somebody frees its key', async () => {
  const target = await lab.captureTarget();
  const requests = new IdempotencyManager(pool);
  const ref = { tenant: 'a', scope: 'POST /invoices', key: 'r"1\\' };
  const post = () =>
    requests.execute(ref, { n: 1 }, async (tx) => {
      await tx.query(`insert into invoice values ('a r1', 'a')`);
      return { id: 'a r1' };
    });
  await post();
  await lab.restore('a', target);
  await post();
  expect(await invoices()).toEqual([]);
  await redriveUndone(pool, { tenant: 'a', type: ref.scope, key: ref.key }, { by: 'ada' });
  await post();
  expect(await invoices()).toEqual(['a r1']);
});

test('21: job and key are told apart whatever characters they have', async () => {
  const target = await lab.captureTarget();
  const keys = ['a"b', 'back\\slash', 'new\nline', 'tab\tbell\u0007', 'ünï💶', '/', ' ', '\u007f'];
  for (const key of keys) await done(key);
  await lab.restore('a', target);
  const found = await listUndone(pool, { tenant: 'a' }, 100);
  expect(found.map(({ kind, key, steps }) => [kind, key, ...steps])).toEqual(
    keys.map((key) => ['job', key, 'post']),
  );
});

test('21: an item that a batch moved to a job of its own is that job’s to decide', async () => {
  const parent = await begin('batch');
  const target = await lab.captureTarget();
  const records = new BatchRecords(pool, parent, LEASE_MS);
  await records.onceForEach(['item 1'], async (tx) => {
    await tx.query(`insert into invoice values ('a 1', 'a')`);
  });
  await records.splitOff(['item 2'], { key: 'batch/item 2', input: {}, fingerprint: 'f' });
  await complete(parent);
  await done('batch/item 2');
  await lab.restore('a', target);
  expect(await open()).toEqual([
    { kind: 'job', key: 'batch', steps: ['item 1'], ended: true },
    { kind: 'job', key: 'batch/item 2', steps: ['post'], ended: true },
  ]);
});

test('21: an undo takes the marks of its restore away, and says what was redriven since', async () => {
  const target = await lab.captureTarget();
  await done('one');
  await done('two');
  const { restoreId } = await lab.restore('a', target);
  await redriveUndone(pool, { tenant: 'a', type: 'bill', key: 'two' }, { by: 'ada' });
  const undo = await lab.prepareUndo('a', restoreId);
  expect(undo.preview.notices.join(' ')).toContain('1 job(s) or request(s) were redriven');
  expect(undo.preview.undoneEffects).toBeUndefined();
  await undo.merge();
  await undo.end();
  expect(await invoices()).toEqual(['a one', 'a two']);
  expect(await open()).toEqual([]);
});

test('21: a later restore to a target that has the effects takes an earlier one’s marks away', async () => {
  const first = await lab.captureTarget();
  await done('k');
  const second = await lab.captureTarget();
  await lab.restore('a', first);
  expect(await open()).toHaveLength(1);
  await lab.restore('a', second);
  expect(await invoices()).toEqual(['a k']);
  expect(await open()).toEqual([]);
});

test('21: a server that emptied the staging does not mark everything', async () => {
  await done('before');
  const target = await lab.captureTarget();
  await done('after');
  const prepared = await lab.prepare('a', target);
  await lab.live.query(`truncate chronawflow."${prepared.restoreId}_completed_0"`);
  await expect(prepared.merge()).rejects.toMatchObject({ code: 'STAGING_LOST' });
  await prepared.end();
  expect(await open()).toEqual([]);
});

test('21: a target from before the tables were made has completed nothing', async () => {
  const target = await lab.captureTarget();
  await target.query('drop table chronawflow.idempotency, chronawflow.job cascade');
  await done('k');
  await lab.restore('a', target);
  expect(await open()).toHaveLength(1);
});

test('21: no slice takes in the schema of the platform', () => {
  const { tenancy } = lab.app.config;
  expect(() => sliceSchemas({ ...tenancy, schemas: ['public', 'chronawflow'] }, 'a')).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  );
  const bySchema = { ...tenancy, model: 'schema', schemaName: '{tenant}' } as const;
  expect(() => sliceSchemas(bySchema, 'chronawflow')).toThrow(
    expect.objectContaining({ code: 'INVALID_INPUT' }),
  );
  expect(sliceSchemas(bySchema, 'acme')).toEqual(['acme']);
});

test('a decision and its audit event are one transaction, and the event reaches the log once', async () => {
  const target = await lab.captureTarget();
  await done('k');
  await lab.restore('a', target);
  const ref = { tenant: 'a', type: 'bill', key: 'k' };
  await inTransaction(pool, async (tx) => {
    // Nobody can write an event: the decision is not made either.
    await tx.query('lock table chronawflow.audit_outbox');
    await expect(leaveUndone(refusing(pool), ref, { by: 'ada', retentionMs: 1_000 })).rejects.toMatchObject({
      code: '55P03',
    });
  });
  expect(await open()).toHaveLength(1);
  await leaveUndone(pool, ref, { by: 'ada', retentionMs: 1_000 });
  await Promise.all([forwardOutbox(pool, app.platform), forwardOutbox(pool, app.platform)]);
  await forwardOutbox(pool, app.platform);
  const { rows } = await app.platform.query(
    `select actor, tenant, object from chronawflow.audit_event where action = 'job.undone-leave'`,
  );
  expect(rows).toEqual([{ actor: 'ada', tenant: 'a', object: 'bill/k' }]);
});

/** A promise, and what resolves it. */
function gate(): [Promise<void>, () => void] {
  let open = () => {};
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return [promise, () => open()];
}

/** A pool whose sessions give a lock up at once. */
function refusing(of: Pool): Pool {
  return new Proxy(of, {
    get: (target, property) => {
      if (property !== 'connect') return Reflect.get(target, property, target);
      return async () => {
        const client = await target.connect();
        await client.query(`set lock_timeout = '50ms'`);
        const release = client.release.bind(client);
        // Not back into the pool, where others would have its setting.
        client.release = () => release(true);
        return client;
      };
    },
  });
}
