import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { type Action, type Grant, type SignedIntent, signIntent } from '../../../core/operators';
import { approvalParameters, intentParameters } from '../../../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../../../core/recovery/restore-id';
import type { TenantRestoreInput } from '../../../core/recovery/types';
import { SignedScene } from './signed-scene';
import { type Ground, startGround } from './workflow-run';

export const REQUESTER: readonly Grant[] = [{ role: 'requester' }];
export const APPROVER: readonly Grant[] = [{ role: 'approver' }];
const PEOPLE = { ada: REQUESTER, grace: APPROVER, hopper: APPROVER };
/** Where the restores of most tests go to. */
export const TO = '2026-11-23T10:15:00Z';
const HOUR_MS = 3_600_000;

/** For one test file: ground for all its tests, and in each a scene whose restores are asked for without the SDK. */
export function useSignedRestores() {
  let ground: Ground;
  let scene: SignedScene;

  beforeAll(async () => {
    ground = await startGround();
  }, 240_000);
  afterAll(() => ground?.stop());
  afterEach(() => scene?.end());

  const sign = (
    name: string,
    action: Action,
    parameters: Readonly<Record<string, unknown>>,
    { tenant = scene.tenant, lifetimeMs = HOUR_MS } = {},
  ): Promise<SignedIntent> =>
    signIntent(
      ground.platform,
      scene.signer(name),
      { action, operator: name, tenant, parameters },
      lifetimeMs,
    );

  const approvalOf = async (handle: WorkflowHandle, name: string, diffHash = 'hash-1') => ({
    diffHash,
    as: name,
    intent: await sign(
      name,
      'recovery.approve',
      approvalParameters(restoreIdFor(handle.workflowId), diffHash),
    ),
  });

  /** Intents that were refused in this scene, and the runs that they came with. */
  const refused = async () => {
    const { rows } = await ground.platform.query<{ outcome: string; run: string | null }>(
      `select outcome, run from chronawflow.audit_event where action = 'operators.intent-refused' and (tenant = $1 or tenant is null) order by at`,
      [scene.tenant],
    );
    return rows;
  };

  return {
    begin: async (
      people: Readonly<Record<string, readonly Grant[]>> = PEOPLE,
      fourEyes?: Readonly<Record<string, number>>,
      orphansEveryMs?: number,
    ): Promise<void> => {
      scene = new SignedScene(ground, people, fourEyes);
      scene.orphansEveryMs = orphansEveryMs;
      await scene.begin();
    },
    sign,
    /** A run that ada has asked for; `change` is what somebody does to the input on its way. */
    start: async (change: Partial<TenantRestoreInput> = {}, options: { lifetimeMs?: number } = {}) => {
      const request = randomUUID();
      const workflowId = `restore/${scene.tenant}/${request}`;
      const asked: TenantRestoreInput = { tenant: scene.tenant, to: TO, requestedBy: 'ada' };
      const intent = await sign('ada', 'recovery.restore', intentParameters(workflowId, asked), options);
      return scene.restore({ ...asked, intent, ...change }, request);
    },
    approvalOf,
    approve: async (handle: WorkflowHandle, name: string, diffHash?: string) =>
      handle.executeUpdate('approve', { args: [await approvalOf(handle, name, diffHash)] }),
    refused,
    refusals: async () => (await refused()).map(({ outcome }) => outcome),
    nothingChanged: () => {
      expect(scene.engine.merges()).toBe(0);
      expect(scene.leftovers()).toEqual([]);
    },
    get ground() {
      return ground;
    },
    get scene() {
      return scene;
    },
  };
}
