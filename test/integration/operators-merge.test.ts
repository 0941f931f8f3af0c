import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { mergeVerified } from '../../activities/recovery-intents';
import {
  type Action,
  appendStatement,
  IntentVerifier,
  type OperatorPolicy,
  readRegistry,
  type SignedIntent,
  type Signer,
  signIntent,
} from '../../core/operators';
import type { MergeControl } from '../../core/recovery/engine';
import { approvalParameters } from '../../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../../core/recovery/restore-id';
import type { MergeResult } from '../../core/recovery/types';
import { newSigner } from '../support/operators';
import { type RealApplication, startApplication } from '../support/real-application';
import { imagesOf, openWorld, type Prepared, type SliceLab } from '../support/slice-lab';

/** The merge itself, on real rows: core/operators/README.md, invariants 3 to 5. */

const HOUR_MS = 3_600_000;
const BOOKS = `create table tenants (id text primary key); insert into tenants values ('a'), ('b');
  create table invoices (id int primary key, tenant_id text not null references tenants, total int);
  insert into invoices values (1, 'a', 10), (2, 'a', 20), (3, 'b', 30);`;

let app: RealApplication;
let lab: SliceLab;
let platform: Pool;
const people: Readonly<Record<string, Signer>> = {
  root: newSigner(),
  ada: newSigner(),
  grace: newSigner(),
  hopper: newSigner(),
};
let policy: OperatorPolicy;

async function say(action: Action, parameters: Readonly<Record<string, unknown>>): Promise<void> {
  const { head: previous } = await readRegistry(platform, policy.roots);
  const statement = await sign('root', action, { previous, ...parameters }, undefined);
  await appendStatement(platform, policy.roots, statement);
}

function sign(
  name: string,
  action: Action,
  parameters: Readonly<Record<string, unknown>>,
  tenant: string | undefined = 'a',
): Promise<SignedIntent> {
  const signer = people[name];
  if (signer === undefined) throw new RangeError(`${name} is nobody`);
  return signIntent(
    platform,
    signer,
    { action, operator: name, parameters, ...(action.startsWith('operators.') ? {} : { tenant }) },
    HOUR_MS,
  );
}

beforeAll(async () => {
  app = await startApplication({ backup: false });
  platform = app.platform;
  policy = {
    roots: [{ name: 'root', publicKey: people.root?.key.text ?? '' }],
    intentLifetimeMs: HOUR_MS,
    fourEyes: { restore: 2, erasure: 1, chaos: 1, override: 1 },
    witnesses: [],
    whenWitnessesAreAway: 'refuse',
  };
  for (const name of ['ada', 'grace', 'hopper']) {
    const role = name === 'ada' ? 'requester' : 'approver';
    await say('operators.add', { name, publicKey: people[name]?.key.text, grants: [{ role }] });
  }
  lab = await openWorld(app, { schema: BOOKS });
}, 240_000);
afterAll(async () => {
  await lab?.drop();
  await app?.stop();
});

const rules = { modes: { create: true, update: true, delete: true }, decisions: [], allowEmpty: false };
const invoices = () => imagesOf(lab.live, 'select * from invoices order by id');

interface Damaged {
  readonly prepared: Prepared;
  readonly workflowId: string;
  merge(
    approvals: readonly SignedIntent[],
    change?: { readonly intent?: SignedIntent; readonly rules?: typeof rules },
    control?: MergeControl,
  ): Promise<MergeResult>;
  approval(name: string, hash?: string): Promise<SignedIntent>;
}

/** A tenant whose invoices were changed, frozen and previewed, and how its merge is called. */
async function damaged(): Promise<Damaged> {
  const target = await lab.captureTarget();
  await lab.live.query(`update invoices set total = total + 1 where tenant_id = 'a'`);
  const workflowId = `restore/a/${randomUUID()}`;
  const restoreId = restoreIdFor(workflowId);
  const prepared = await lab.prepare('a', target, { restoreId });
  const asked = await sign('ada', 'recovery.restore', { workflowId, to: '20m ago' });
  const { diffHash } = prepared.preview;
  return {
    prepared,
    workflowId,
    approval: (name, hash = diffHash) => sign(name, 'recovery.approve', approvalParameters(restoreId, hash)),
    merge: (approvals, { intent = asked, rules: with_ = rules } = {}, control = {}) =>
      mergeVerified(
        { config: app.config, intents: new IntentVerifier(platform, policy) },
        {
          operation: { restoreId, tenant: 'a', requestedBy: 'ada', intent },
          rules: with_,
          approvedHash: diffHash,
          approvals,
        },
        control,
        (controlled) =>
          prepared.merge(diffHash, {
            ...controlled,
            beforeCommit: async (tx, merging) => {
              await controlled.beforeCommit?.(tx, merging);
              await control.beforeCommit?.(tx, merging);
            },
          }),
      ),
  };
}

const usedBy = async (db: Pool, owner: string) => {
  const { rows } = await db.query<{ operator: string }>(
    'select operator from chronawflow.used_intent where owner = $1 order by operator',
    [owner],
  );
  return rows.map(({ operator }) => operator);
};

test('a merge without enough good signatures writes no row, and with them all of them', async () => {
  const { prepared, merge, approval, workflowId } = await damaged();
  const before = await invoices();
  const [grace, hopper] = [await approval('grace'), await approval('hopper')];
  const refused = async (code: string, ...given: Parameters<typeof merge>) => {
    await expect(merge(...given)).rejects.toMatchObject({ code });
    expect(await invoices()).toEqual(before);
    expect(await usedBy(lab.app.application, prepared.restoreId)).toEqual([]);
  };
  await refused('APPROVALS_MISSING', []);
  await refused('APPROVALS_MISSING', [grace]);
  await refused('APPROVALS_MISSING', [grace, await approval('grace')]);
  await refused('INTENT_MISMATCH', [grace, await approval('hopper', 'f'.repeat(64))]);
  await refused('INTENT_OUT_OF_SCOPE', [grace, await approval('ada')]);
  const forged = { intent: hopper.intent, signature: grace.signature };
  await refused('INTENT_INVALID', [grace, forged]);
  const elsewhere = await sign('ada', 'recovery.restore', { workflowId: 'restore/a/other', to: '20m ago' });
  await refused('INTENT_MISMATCH', [grace, hopper], { intent: elsewhere });
  const ofB = await sign('ada', 'recovery.restore', { workflowId, to: '20m ago' }, 'b');
  await refused('INTENT_MISMATCH', [grace, hopper], { intent: ofB });
  const deletesNothing = { ...rules, modes: { ...rules.modes, delete: false } };
  await refused('INTENT_MISMATCH', [grace, hopper], { rules: deletesNothing });

  await expect(merge([grace, hopper])).resolves.toMatchObject({ kind: 'merged' });
  expect(await usedBy(lab.app.application, prepared.restoreId)).toEqual(['ada', 'grace', 'hopper']);
  expect(await usedBy(platform, prepared.restoreId)).toEqual(['ada', 'grace', 'hopper']);
  expect(await invoices()).not.toEqual(before);
  await prepared.end();
});

test('a merge that was lost after it had used its intents is merged by its retry, with the same', async () => {
  const { prepared, merge, approval } = await damaged();
  const approvals = [await approval('grace'), await approval('hopper')];
  const before = await invoices();
  const lost = merge(
    approvals,
    {},
    {
      beforeCommit: async (tx) => {
        const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid');
        await lab.live.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
        await tx.query('select 1');
      },
    },
  );
  await expect(lost).rejects.toThrow();
  expect(await invoices()).toEqual(before);
  expect(await usedBy(platform, prepared.restoreId)).toEqual(['ada', 'grace', 'hopper']);
  await expect(merge(approvals)).resolves.toMatchObject({ kind: 'merged' });
  // Its answer again, from the record, whatever signatures come with the question.
  await expect(merge([])).resolves.toMatchObject({ kind: 'merged' });
  await prepared.end();
});

test('a revocation while the merge writes stops it, and one while it commits waits for it', async () => {
  const first = await damaged();
  const approvals = [await first.approval('grace'), await first.approval('hopper')];
  let revoked: Promise<void> | undefined;
  const committed = first.merge(
    approvals,
    {},
    {
      beforeCommit: async () => {
        // The signatures have been found good in this very transaction.
        revoked = say('operators.revoke', { name: 'grace' });
      },
    },
  );
  await expect(committed).resolves.toMatchObject({ kind: 'merged' });
  await revoked;
  await first.prepared.end();

  const second = await damaged();
  const before = await invoices();
  await expect(
    second.merge([await second.approval('grace'), await second.approval('hopper')]),
  ).rejects.toMatchObject({ code: 'OPERATOR_REVOKED' });
  expect(await invoices()).toEqual(before);
  await second.prepared.end();
});
