import type { Pool } from 'pg';
import { forwardOutbox } from '../../core/audit';
import { IdempotencyManager } from '../../core/idempotency';
import { leaveUndone, redrive, redriveUndone } from '../../core/jobs';
import { inTransaction } from '../../database';
import { useEffectsLab } from '../support/effects-lab';

/** What people decide about effects that a restore has undone. */

const at = useEffectsLab();
const { begin, bill, complete, done, invoices, stateOf, open } = at;

test('21: a redrive does the undone steps again and no other; what is kept, and what was done before the target, stays', async () => {
  const attempt = await begin('k');
  await bill(attempt, 'a first', 'first');
  const target = await at.lab.captureTarget();
  await bill(attempt, 'a second', 'second');
  await bill(attempt, 'a third', 'third');
  await complete(attempt);
  await at.lab.restore('a', target);
  expect(await invoices()).toEqual(['a first']);
  expect(await open()).toEqual([{ kind: 'job', key: 'k', steps: ['second', 'third'], ended: true }]);

  const ref = { tenant: 'a', type: 'bill', key: 'k' };
  await redriveUndone(at.pool, ref, { by: 'ada', keep: ['third'] });
  expect(await stateOf('k')).toBe('waiting');
  const again = await begin('k');
  await bill(again, 'a first', 'first');
  await bill(again, 'a second', 'second');
  await bill(again, 'a third', 'third');
  await complete(again);
  expect(await invoices()).toEqual(['a first', 'a second']);
  expect(await open()).toEqual([]);
  await expect(redriveUndone(at.pool, ref, { by: 'ada' })).rejects.toMatchObject({ code: 'NOTHING_UNDONE' });
});

test('21: a job that is not over is stopped, its running attempt fenced, and goes on only by a decision', async () => {
  const running = await begin('running');
  const waiting = await begin('waiting');
  const target = await at.lab.captureTarget();
  await bill(running, 'a running');
  await bill(waiting, 'a waiting');
  await at.pool.query(
    `update chronawflow.job set state = 'waiting', lease_until = null where key = 'waiting'`,
  );
  await at.lab.restore('a', target);
  expect([await stateOf('running'), await stateOf('waiting')]).toEqual(['dead', 'dead']);
  await expect(bill(running, 'a late', 'late')).rejects.toMatchObject({ code: 'JOB_FENCED' });
  expect(await complete(running)).toEqual([false]);
  const { rows } = await at.lab.live.query('select key, reason from chronawflow.dead_letter order by key');
  expect(rows).toEqual([
    { key: 'running', reason: 'EFFECTS_UNDONE' },
    { key: 'waiting', reason: 'EFFECTS_UNDONE' },
  ]);
  const ref = { tenant: 'a', type: 'bill', key: 'running' };
  // As for any dead job this would keep the undone step, and lose its effect without a word.
  await expect(redrive(at.pool, ref, { by: 'ada' })).rejects.toMatchObject({ code: 'EFFECTS_UNDONE' });
  await redriveUndone(at.pool, ref, { by: 'ada' });
  const again = await begin('running');
  await bill(again, 'a running');
  await complete(again);
  await leaveUndone(at.pool, { ...ref, key: 'waiting' }, { by: 'ada', retentionMs: 1_000 });
  await redrive(at.pool, { ...ref, key: 'waiting' }, { by: 'ada' });
  const goesOn = await begin('waiting');
  await bill(goesOn, 'a waiting');
  expect(await invoices()).toEqual(['a running']);
});

test('21: a request that was undone keeps its answer until somebody frees its key', async () => {
  const target = await at.lab.captureTarget();
  const requests = new IdempotencyManager(at.pool);
  const ref = { tenant: 'a', scope: 'POST /invoices', key: 'r"1\\' };
  const post = () =>
    requests.execute(ref, { n: 1 }, async (tx) => {
      await tx.query(`insert into invoice values ('a r1', 'a')`);
      return { id: 'a r1' };
    });
  await post();
  await at.lab.restore('a', target);
  await post();
  expect(await invoices()).toEqual([]);
  await redriveUndone(at.pool, { tenant: 'a', type: ref.scope, key: ref.key }, { by: 'ada' });
  await post();
  expect(await invoices()).toEqual(['a r1']);
});

test('21: an undo takes the marks of its restore away, and says what was redriven since', async () => {
  const target = await at.lab.captureTarget();
  await done('one');
  await done('two');
  const { restoreId } = await at.lab.restore('a', target);
  await redriveUndone(at.pool, { tenant: 'a', type: 'bill', key: 'two' }, { by: 'ada' });
  const undo = await at.lab.prepareUndo('a', restoreId);
  expect(undo.preview.notices.join(' ')).toContain('1 job(s) or request(s) were redriven');
  expect(undo.preview.undoneEffects).toBeUndefined();
  await undo.merge();
  await undo.end();
  expect(await invoices()).toEqual(['a one', 'a two']);
  expect(await open()).toEqual([]);
});

test('a decision and its audit event are one transaction, and the event reaches the log once', async () => {
  const target = await at.lab.captureTarget();
  await done('k');
  await at.lab.restore('a', target);
  const ref = { tenant: 'a', type: 'bill', key: 'k' };
  await inTransaction(at.pool, async (tx) => {
    // Nobody can write an event: the decision is not made either.
    await tx.query('lock table chronawflow.audit_outbox');
    await expect(
      leaveUndone(refusing(at.pool), ref, { by: 'ada', retentionMs: 1_000 }),
    ).rejects.toMatchObject({
      code: '55P03',
    });
  });
  expect(await open()).toHaveLength(1);
  await leaveUndone(at.pool, ref, { by: 'ada', retentionMs: 1_000 });
  await Promise.all([
    forwardOutbox(at.pool, at.lab.app.platform),
    forwardOutbox(at.pool, at.lab.app.platform),
  ]);
  await forwardOutbox(at.pool, at.lab.app.platform);
  const { rows } = await at.lab.app.platform.query(
    `select actor, tenant, object from chronawflow.audit_event where action = 'job.undone-leave'`,
  );
  expect(rows).toEqual([{ actor: 'ada', tenant: 'a', object: 'bill/k' }]);
});

/** A pool whose sessions give a lock up at once. */
function refusing(of: Pool): Pool {
  return new Proxy(of, {
    get: (target, property) => {
      if (property !== 'connect') return Reflect.get(target, property, target);
      return async () => {
        const client = await target.connect();
        await client.query(`set lock_timeout = '50ms'`);
        const release = client.release.bind(client);
        // Not back into the at.pool, where others would have its setting.
        client.release = () => release(true);
        return client;
      };
    },
  });
}
