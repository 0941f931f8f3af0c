import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { restoreIdFor } from '../../core/recovery/restore-id';
import { ADVISORY_LOCKS } from '../../database';
import { failureCode } from '../support/failure-code';
import { completeInItsPlace } from '../support/forged-completion';
import { until } from '../support/until';
import { useSignedRestores } from './support/signed-restores';

/**
 * Whoever has Temporal and no key: he may start runs, send updates, complete activities, reset and terminate. None of it changes
 * a row (core/operators/README.md, invariants 4 and 5).
 */

const at = useSignedRestores();
const { begin, sign, start, approve, refusals, nothingChanged } = at;

test('a forged result of the activity that verifies an approval gains nothing: the merge verifies for itself', async () => {
  await begin();
  const handle = await start();
  await at.scene.awaitingApproval(handle);
  // Verification waits for the registry, and so the attacker is faster.
  const holder = await at.ground.platform.connect();
  try {
    await holder.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    const stolen = await sign('ada', 'recovery.restore', { any: 'thing' });
    const update = await handle.startUpdate('approve', {
      args: [{ diffHash: 'hash-1', as: 'grace', intent: stolen }],
      waitForStage: 'ACCEPTED',
    });
    await complete(handle, 'verifyDecision', undefined);
    await expect(update.result()).resolves.toMatchObject({ approvedBy: ['grace'], missing: 0 });
  } finally {
    await holder.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.operatorRegistry]);
    holder.release();
  }
  await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
  nothingChanged();
});

test('somebody who is revoked between his approval and the merge has not approved it', async () => {
  await begin();
  const hold = at.scene.engine.hold('merge');
  const handle = await start();
  await at.scene.awaitingApproval(handle);
  await approve(handle, 'grace');
  await hold.reached;
  await (await at.scene.as('root')).operators.revoke('grace', 'laptop stolen');
  hold.release();
  await expect(failureCode(handle.result())).resolves.toBe('OPERATOR_REVOKED');
  nothingChanged();
  await expect(refusals()).resolves.toEqual(['OPERATOR_REVOKED']);
});

test('a reset to after the approval repeats the merge’s own check, and finds the revocation', async () => {
  await begin();
  const hold = at.scene.engine.hold('merge');
  const handle = await start();
  await at.scene.awaitingApproval(handle);
  await approve(handle, 'grace');
  await hold.reached;
  await (await at.scene.as('root')).operators.revoke('grace');
  const { events = [] } = await handle.fetchHistory();
  const scheduled = events?.findLast(
    (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'mergeSlice',
  );
  const decided = scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId;
  const { runId } = await at.ground.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    workflowTaskFinishEventId: decided,
    reason: 'mallory',
    requestId: randomUUID(),
  });
  hold.release();
  const again = at.ground.client.workflow.getHandle(handle.workflowId, runId);
  await expect(failureCode(again.result())).resolves.toBe('OPERATOR_REVOKED');
  nothingChanged();
});

test('a reset of a rejected restore to before its rejection finds the restore closed', async () => {
  await begin();
  const handle = await start();
  await at.scene.awaitingApproval(handle);
  const intent = await sign('grace', 'recovery.reject', {
    restoreId: restoreIdFor(handle.workflowId),
    reason: 'no',
  });
  await handle.executeUpdate('reject', { args: [{ as: 'grace', reason: 'no', intent }] });
  await expect(handle.result()).resolves.toMatchObject({ outcome: 'rejected' });
  const { events = [] } = await handle.fetchHistory();
  const accepted = events?.find((event) => event.workflowExecutionUpdateAcceptedEventAttributes != null);
  const before = events?.findLast(
    (event) =>
      event.workflowTaskCompletedEventAttributes != null &&
      Number(event.eventId) < Number(accepted?.eventId) - 1,
  );
  const { runId } = await at.ground.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.workflowId },
    workflowTaskFinishEventId: before?.eventId,
    reason: 'mallory',
    requestId: randomUUID(),
    // UPDATE: the rejection is left out.
    resetReapplyExcludeTypes: [2],
  });
  const again = at.ground.client.workflow.getHandle(handle.workflowId, runId);
  await at.scene.awaitingApproval(again);
  await approve(again, 'hopper');
  await expect(failureCode(again.result())).resolves.toBe('RESTORE_CLOSED');
  expect(at.scene.engine.merges()).toBe(0);
});

test('a termination after the freeze leaves the tenant frozen only until a worker has seen it', async () => {
  await begin(undefined, undefined, 200);
  const handle = await start();
  await at.scene.awaitingApproval(handle);
  expect(at.scene.engine.frozen.has(at.scene.tenant)).toBe(true);
  await handle.terminate('mallory');
  await until(() => at.scene.leftovers().every((left) => left.startsWith('scratch:')), {
    what: 'the tenant to be let go',
  });
  expect(at.scene.engine.merges()).toBe(0);
  const { rows } = await at.ground.platform.query(
    `select actor, outcome from chronawflow.audit_event where action = 'release.request' and tenant = $1`,
    [at.scene.tenant],
  );
  expect(rows).toEqual([{ actor: 'chronawflow', outcome: 'ok' }]);
});

const complete = (handle: WorkflowHandle, step: string, result: unknown) =>
  completeInItsPlace(at.ground.client, handle, step, result);

test('a forged target is not staged: each step takes what was written down, and that is what was signed', async () => {
  await begin(undefined, { restore: 0 });
  const hold = at.scene.engine.hold('resolveTarget');
  const handle = await start();
  await hold.reached;
  await complete(handle, 'resolveTarget', {
    kind: 'time',
    value: '2020-01-01 00:00:00+00',
    timeline: 1,
    backupLabel: '20200101-000000F',
    firstSegment: '000000010000000000000001',
    fenceSegment: '000000010000000000000007',
    fenceToken: 'fence',
    systemId: '7000000000000000000',
  });
  await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISMATCH');
  hold.release();
  expect(at.scene.engine.calls).not.toContain('stageSlice');
  expect(at.scene.engine.merges()).toBe(0);
});
