import { randomUUID } from 'node:crypto';
import { recordedOwner } from '../../core/containment';
import { containmentMessageNames, containmentWorkflowName } from '../../workflows/containment-contract';
import { controlTaskQueue } from '../../workflows/control-contract';
import { CleanUp } from '../support/clean-up';
import {
  type ContainmentScene,
  effectsOn,
  openContainmentScene,
  startContainmentStage,
} from '../support/containment-scene';
import { failureCode } from '../support/failure-code';
import type { JobStage } from '../support/job-stage';
import { SigningPeople } from '../support/signing-people';
import { until } from '../support/until';

/** Containment where operators sign: whoever has Temporal and no key contains nobody and releases nothing. */

let stage: JobStage;
let people: SigningPeople;
let scene: ContainmentScene;
const cleanUp = new CleanUp();

beforeAll(async () => {
  stage = await startContainmentStage();
  people = new SigningPeople({
    ada: [{ role: 'requester' }],
    birch: [{ role: 'requester', tenants: ['t2'] }],
    carol: [{ role: 'requester' }],
  });
  scene = await openContainmentScene(stage, cleanUp, {
    operators: people.section(),
    containment: {
      lease: '20s',
      noisyTenants: {
        share: 0.5,
        minInFlight: 10,
        every: '500ms',
        looks: 2,
        most: 1,
        for: '1h',
        except: ['t1'],
      },
    },
  });
  await people.join(scene.config);
  await scene.startControl();
}, 240_000);
afterAll(async () => {
  await people?.leave();
  await cleanUp.run();
  await stage?.stop();
}, 240_000);

const as = (name: string) => people.as(name, scene.config);
const HOLD = { strategy: 'hold-queue', tenant: 't1' } as const;
const reason = 'it floods';

const held = (tenant: string, effects: readonly string[]) =>
  until(async () => (await effectsOn(stage, tenant)).join() === effects.join(), {
    limitMs: 60_000,
    what: `${tenant} to have ${effects.join(', ') || 'no effect'}`,
  });

/** Starts a containment as anybody can who reaches Temporal. */
const start = (input: object, workflowId = `contain/forged/${randomUUID()}`) =>
  stage.client.workflow.start(containmentWorkflowName, {
    workflowId,
    taskQueue: controlTaskQueue(scene.config.temporal.taskQueue),
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
  });

async function refusals(): Promise<readonly unknown[]> {
  const { rows } = await stage.platform.query<{ outcome: string }>(
    `select outcome from chronawflow.audit_event where action = 'operators.intent-refused' order by at`,
  );
  return rows.map(({ outcome }) => outcome);
}

test('who has signed contains a tenant of his, and is named in the audit log', async () => {
  const birch = await as('birch');
  const elsewhere = await birch.containment.contain({ ...HOLD, reason });
  await expect(failureCode(elsewhere.result())).resolves.toBe('INTENT_OUT_OF_SCOPE');
  const run = await birch.containment.contain({ ...HOLD, tenant: 't2', reason });
  await held('t2', ['hold']);
  await expect(failureCode((await as('ada')).containment.release(run.id, { as: 'grace' }))).resolves.toBe(
    'SIGNER_UNAVAILABLE',
  );
  await (await as('ada')).containment.release(run.id, { reason: 'calm' });
  await expect(run.result()).resolves.toMatchObject({ outcome: 'released', by: 'ada' });
  expect(await effectsOn(stage, 't2')).toEqual([]);
  const { rows } = await stage.platform.query(
    `select actor, object from chronawflow.audit_event
     where action = 'operators.intent-used' and tenant = 't2' order by at`,
  );
  expect(rows).toEqual([
    { actor: 'birch', object: 'containment.contain' },
    { actor: 'ada', object: 'containment.release' },
  ]);
}, 300_000);

test('a containment that is started around the command line applies nothing', async () => {
  const before = (await refusals()).length;
  const input = { target: HOLD, reason, requestedBy: 'ada' };
  const workflowId = `contain/forged/${randomUUID()}`;
  const parameters = { workflowId, target: HOLD, reason };
  const wanted = { action: 'containment.contain', tenant: 't1', parameters } as const;
  const good = await people.sign(stage.platform, 'ada', wanted);
  const codes: unknown[] = [];
  const attempt = async (change: object, id?: string) =>
    codes.push(await failureCode((await start({ ...input, ...change }, id)).result()));
  await attempt({});
  // Not noisy, and not what the rule does.
  await attempt({ automatic: true, forMs: 3_600_000, target: { strategy: 'isolate-tenant', tenant: 't1' } });
  await attempt({ automatic: true });
  await attempt({ intent: good });
  await attempt({ intent: good, target: { ...HOLD, tenant: 't3' } }, workflowId);
  await attempt({ intent: good, requestedBy: 'carol' }, workflowId);
  await attempt({ intent: await people.sign(stage.platform, 'ada', wanted, 0) }, workflowId);
  expect(codes).toEqual([
    'INTENT_MISSING',
    'INTENT_MISSING',
    'INTENT_MISSING',
    'INTENT_MISMATCH',
    'INTENT_MISMATCH',
    'INTENT_MISMATCH',
    'INTENT_EXPIRED',
  ]);
  expect(await effectsOn(stage, 't1')).toEqual([]);
  // A name that is not the signer's is refused, and no use of his signature.
  expect((await refusals()).length - before).toBe(6);
  const { rows } = await stage.platform.query(`select from chronawflow.containment where tenant = 't1'`);
  expect(rows).toEqual([]);
}, 300_000);

test('what has ended does not begin again by the same signature', async () => {
  const workflowId = `contain/forged/${randomUUID()}`;
  const parameters = { workflowId, target: HOLD, reason };
  const intent = await people.sign(stage.platform, 'ada', {
    action: 'containment.contain',
    tenant: 't1',
    parameters,
  });
  const input = { target: HOLD, reason, requestedBy: 'ada', intent };
  await start(input, workflowId);
  await held('t1', ['hold']);
  const run = (await as('ada')).containment.run(workflowId);
  await run.release();
  await run.result();
  const again = await start(input, workflowId);
  await expect(failureCode(again.result())).resolves.toBe('INVALID_INPUT');
  expect(await effectsOn(stage, 't1')).toEqual([]);
}, 300_000);

test('a release that nobody good has signed is refused, and the tenant stays contained', async () => {
  const run = await (await as('ada')).containment.contain({ ...HOLD, reason });
  await held('t1', ['hold']);
  const handle = stage.client.workflow.getHandle(run.workflowId);
  const release = (message: object) =>
    failureCode(handle.executeUpdate(containmentMessageNames.release, { args: [message] }));
  const wanted = { action: 'containment.release', tenant: 't1', parameters: { id: run.id } } as const;
  await expect(release({ as: 'ada' })).resolves.toBe('INTENT_MISSING');
  const good = await people.sign(stage.platform, 'carol', wanted);
  await expect(release({ as: 'ada', intent: good })).resolves.toBe('INTENT_MISMATCH');
  await expect(release({ as: 'carol', reason: 'another', intent: good })).resolves.toBe('INTENT_MISMATCH');
  const elsewhere = await people.sign(stage.platform, 'birch', wanted);
  await expect(release({ as: 'birch', intent: elsewhere })).resolves.toBe('INTENT_OUT_OF_SCOPE');
  await (await as('root')).operators.revoke('carol', 'left');
  await expect(release({ as: 'carol', intent: good })).resolves.toBe('OPERATOR_REVOKED');
  expect(await effectsOn(stage, 't1')).toEqual(['hold']);
  await until(async () => (await run.status()).phase === 'holding', { what: 'it to hold on' });
  // A part of somebody else's making is none of it.
  const ctx = { platform: stage.platform, config: scene.config };
  await expect(recordedOwner(ctx, run.id, { kind: 'gate', tenant: 't3' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
  await run.release({ reason: 'calm' });
  await expect(recordedOwner(ctx, run.id, { kind: 'hold', tenant: 't1' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
}, 300_000);

test('a noisy tenant is contained by the rule, which signs nothing', async () => {
  await stage.app.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     select tenant, 'x', tenant || n, 'f', '{}', 3, 'running', clock_timestamp(), clock_timestamp() + interval '1 hour'
     from (values ('t7', 12), ('t9', 2)) v (tenant, many), generate_series(1, many) n`,
  );
  await held('t7', ['floor', 'gate', 'hold']);
}, 300_000);
