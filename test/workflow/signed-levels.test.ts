import { randomUUID } from 'node:crypto';
import type { Chronawflow } from '../../client';
import { INITIAL_STATE } from '../../core/degradation';
import { change } from '../../core/degradation/change.pure';
import { override } from '../../core/degradation/override.pure';
import type { Decision } from '../../core/degradation/types';
import { consentTo, type SignedIntent } from '../../core/operators';
import { controlTaskQueue } from '../../workflows/control-contract';
import {
  degradationMessageNames as messages,
  degradationWorkflowNames as names,
} from '../../workflows/degradation-contract';
import { DegradationStage, QUICK } from '../support/degradation-stage';
import { failureCode } from '../support/failure-code';
import { SigningPeople } from '../support/signing-people';
import { until } from '../support/until';
import { type Ground, startGround } from './support/workflow-run';

/** Levels where operators sign (core/degradation/README.md, invariant 13). */

let ground: Ground;
let stage: DegradationStage;
let people: SigningPeople;

beforeAll(async () => {
  ground = await startGround();
}, 240_000);
afterAll(() => ground?.stop());
afterEach(async () => {
  await people?.leave();
  await stage?.stop();
});

async function begin(
  seen: Record<string, number> = { 'error-rate': 0 },
  section: object = QUICK,
): Promise<void> {
  people = new SigningPeople({
    ada: [{ role: 'requester' }],
    birch: [{ role: 'requester', tenants: ['birch'] }],
    grace: [{ role: 'approver' }],
    hopper: [{ role: 'viewer' }],
  });
  const connection = ground.postgres.connection('platform');
  stage = new DegradationStage(ground, { ...section }, connection, {
    operators: people.section({ override: 1 }),
  });
  // Registries of earlier tests have other roots; what they have signed is nobody's here.
  await people.join(stage.config);
  await stage.follow('web', seen);
  await stage.startControl();
  await stage.watched();
}

const as = (name: string): Promise<Chronawflow> => people.as(name, stage.config);

const consentOf = (name: string, intent: SignedIntent) =>
  people.sign(ground.platform, name, consentTo(intent));

async function refusals(since: string): Promise<readonly unknown[]> {
  const { rows } = await ground.platform.query<{ outcome: string }>(
    `select outcome from chronawflow.audit_event where action = 'operators.intent-refused' and at >= $1 order by at`,
    [since],
  );
  return rows.map(({ outcome }) => outcome);
}

const databaseTime = async () =>
  (await ground.platform.query<{ at: string }>('select clock_timestamp()::text as at')).rows[0]?.at ?? '';

const REASON = 'the bank is down';
const LIMITED = { level: 'limited', for: '1h', as: 'ada', reason: REASON } as const;
const setLimited = {
  action: 'degradation.override',
  parameters: { scope: 'platform', level: 'limited', forMs: 3_600_000, reason: REASON },
} as const;

const raw = (message: string, argument: object) =>
  stage.controller.executeUpdate(message, { args: [argument] });

/** Starts a workflow as anybody can who reaches Temporal. */
const start = (workflowType: string, input: object) =>
  ground.client.workflow.start(workflowType, {
    workflowId: `mallory/${randomUUID()}`,
    taskQueue: controlTaskQueue(stage.config.temporal.taskQueue),
    args: [input],
  });

async function published() {
  const [platform] = await stage.store.assessed();
  return { level: platform?.level, version: platform?.version, readOnly: platform?.readOnly?.by };
}

test('a level is set by who has signed for it with another’s consent, and given back by one alone', async () => {
  await begin();
  const since = await databaseTime();
  const ada = await as('ada');
  await expect(failureCode(ada.degradation.applyDegradation(LIMITED))).resolves.toBe('APPROVALS_MISSING');
  const intent = await ada.degradation.request(LIMITED);
  const consent = await consentOf('grace', intent);
  await expect(
    ada.degradation.applyDegradation({ ...LIMITED, signed: { intent, approvals: [consent] } }),
  ).resolves.toMatchObject({ level: 'limited' });
  await stage.reached('limited');
  await expect(ada.degradation.recover({ as: 'ada', reason: 'the bank is back' })).resolves.toMatchObject({
    level: 'limited',
  });
  await stage.reached('normal');
  expect(await refusals(since)).toEqual(['APPROVALS_MISSING']);
  const { rows } = await ground.platform.query(
    `select actor, action from chronawflow.audit_event
     where action in ('degradation.override', 'degradation.release') and at >= $1 order by at`,
    [since],
  );
  expect(rows).toEqual([
    { actor: 'ada', action: 'degradation.override' },
    { actor: 'ada', action: 'degradation.release' },
  ]);
}, 240_000);

test('read only needs another’s consent, and writes are taken again by one alone', async () => {
  await begin();
  const ada = await as('ada');
  const request = { for: '1h', as: 'ada', reason: 'migration' } as const;
  await expect(failureCode(ada.degradation.setReadOnly(request))).resolves.toBe('APPROVALS_MISSING');
  const intent = await ada.degradation.request(request);
  const consent = await consentOf('grace', intent);
  await ada.degradation.setReadOnly({ ...request, signed: { intent, approvals: [consent] } });
  expect(await published()).toMatchObject({ readOnly: 'ada' });
  await ada.degradation.endReadOnly({ as: 'ada', reason: 'done' });
  expect(await published()).toMatchObject({ readOnly: undefined });
}, 240_000);

test('what a fault calls for needs nobody’s signature, in either direction', async () => {
  const seen = { 'error-rate': 0 };
  await begin(seen);
  const since = await databaseTime();
  seen['error-rate'] = 0.2;
  await stage.reached('limited');
  seen['error-rate'] = 0;
  await stage.reached('normal');
  expect(await refusals(since)).toEqual([]);
}, 240_000);

test('a message that nobody good has signed changes nothing, and is in the audit log', async () => {
  await begin();
  const since = await databaseTime();
  const before = await published();
  const request = { level: 'limited', by: 'ada', reason: REASON, forMs: 3_600_000 };
  const signedBy = (name: string, wanted: object = {}, lifetimeMs?: number) =>
    people.sign(ground.platform, name, { ...setLimited, ...wanted }, lifetimeMs);
  const send = async (intent: SignedIntent | undefined, change: object = {}) => {
    const approvals = intent === undefined ? [] : [await consentOf('grace', intent)];
    return failureCode(raw(messages.setLevel, { ...request, intent, approvals, ...change }));
  };
  await expect(send(undefined)).resolves.toBe('INTENT_MISSING');
  await expect(
    failureCode(raw(messages.setReadOnly, { by: 'ada', reason: 'x', forMs: 1_000 })),
  ).resolves.toBe('INTENT_MISSING');
  const good = await signedBy('ada');
  await expect(send({ ...good, signature: (await signedBy('ada')).signature })).resolves.toBe(
    'INTENT_INVALID',
  );
  await expect(send(good, { level: 'core-only' })).resolves.toBe('INTENT_MISMATCH');
  await expect(send(good, { by: 'grace' })).resolves.toBe('INTENT_MISMATCH');
  await expect(send(await signedBy('ada', {}, 0))).resolves.toBe('INTENT_EXPIRED');
  await expect(send(await signedBy('hopper'), { by: 'hopper' })).resolves.toBe('INTENT_OUT_OF_SCOPE');
  // A role for a tenant is none for the platform.
  await expect(send(await signedBy('birch'), { by: 'birch' })).resolves.toBe('INTENT_OUT_OF_SCOPE');
  await (await as('root')).operators.revoke('ada', 'laptop stolen');
  await expect(send(good)).resolves.toBe('OPERATOR_REVOKED');
  expect(await published()).toEqual(before);
  expect((await stage.status()).state).toMatchObject({ rank: 0, version: 0 });
  expect(new Set(await refusals(since))).toEqual(
    new Set([
      'INTENT_MISSING',
      'INTENT_INVALID',
      'INTENT_MISMATCH',
      'INTENT_EXPIRED',
      'INTENT_OUT_OF_SCOPE',
      'OPERATOR_REVOKED',
    ]),
  );
}, 240_000);

test('what was signed for once is not good for another time', async () => {
  await begin();
  const ada = await as('ada');
  const intent = await ada.degradation.request(LIMITED);
  const consent = await consentOf('grace', intent);
  const signed = { intent, approvals: [consent] };
  await ada.degradation.applyDegradation({ ...LIMITED, signed });
  await ada.degradation.recover({ as: 'ada', reason: 'the bank is back' });
  await expect(failureCode(ada.degradation.applyDegradation({ ...LIMITED, signed }))).resolves.toBe(
    'INTENT_REPLAYED',
  );
}, 240_000);

describe('a workflow that is started around the command line', () => {
  const publication = ({ state, transition }: Decision, more: object = {}) => ({
    scope: 'platform',
    level: 'core-only',
    state,
    transition,
    ...more,
  });

  test.each([
    [
      'an escalation that no look has seen called for',
      () => change(INITIAL_STATE, { to: 3, direction: 'escalation', reason: 'forged' }),
    ],
    [
      'a level by hand',
      () => override(INITIAL_STATE, { rank: 3, by: 'ada', reason: REASON, until: Date.now() + 60_000 }),
    ],
  ])(
    '%s is refused',
    async (_, decision) => {
      await begin();
      const since = await databaseTime();
      const handle = await start(names.transition, publication(decision()));
      await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISSING');
      expect(await published()).toMatchObject({ level: 'normal', version: 0 });
      expect(await refusals(since)).toEqual(['INTENT_MISSING']);
    },
    120_000,
  );

  test('a way back in the middle of a fault is refused, and no version is used up by it', async () => {
    const seen = { 'error-rate': 0 };
    await begin(seen, { ...QUICK, dwell: '10m' });
    seen['error-rate'] = 0.2;
    await stage.reached('limited');
    const stands = { ...INITIAL_STATE, rank: 2, version: 1 };
    const back = change(stands, { to: 0, direction: 'recovery', reason: 'forged' });
    const handle = await start(names.transition, publication(back));
    await expect(failureCode(handle.result())).resolves.toBe('INTENT_MISSING');
    const far = change({ ...stands, version: 2 ** 40 }, { to: 2, direction: 'release', reason: 'forged' });
    await expect(failureCode((await start(names.transition, publication(far))).result())).resolves.toBe(
      'INTENT_MISSING',
    );
    expect(await published()).toMatchObject({ level: 'limited', version: 1 });
  }, 240_000);

  test('a controller with a state of somebody’s own making goes on from what stands', async () => {
    const seen = { 'error-rate': 0 };
    await begin(seen);
    const forged = {
      ...INITIAL_STATE,
      rank: 0,
      version: 5,
      override: { rank: 0, by: 'ada', reason: 'x', until: 4e12 },
    };
    const handle = await ground.client.workflow.start(names.controller, {
      workflowId: stage.controller.workflowId,
      taskQueue: controlTaskQueue(stage.config.temporal.taskQueue),
      args: [{ scope: 'platform', state: forged }],
      // At once: the controllers' process brings back one that is gone.
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    });
    await until(async () => (await stage.status()).state?.override === undefined, {
      limitMs: 60_000,
      what: 'the forged level to be forgotten',
    });
    seen['error-rate'] = 0.2;
    await stage.reached('limited');
    await expect(handle.describe()).resolves.toMatchObject({ status: { name: 'RUNNING' } });
  }, 240_000);
});
