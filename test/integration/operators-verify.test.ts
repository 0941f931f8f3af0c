import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { LogSigner, recordAuditEvent, serveWitness, Witness, WitnessState } from '../../core/audit';
import { generateSigningKey } from '../../core/audit/note';
import { openPlatformLog, sealBatch } from '../../core/audit/seal/seal-batch';
import { preparePlatformDatabase } from '../../core/local-stack';
import {
  appendStatement,
  type Demand,
  IntentVerifier,
  type OperatorPolicy,
  readRegistry,
  type Signer,
  signIntent,
} from '../../core/operators';
import { applyMigrations, inTransaction } from '../../database';
import { CleanUp } from '../support/clean-up';
import { newSigner } from '../support/operators';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const HOUR_MS = 3_600_000;
const ACTION = { action: 'jobs.redrive', tenant: 'acme', parameters: { key: '7' } } as const;

const cleanUp = new CleanUp();
let postgres: RealPostgres;
/** As a worker connects, and the application’s database. */
let platform: Pool;
let superuser: Pool;
let application: Pool;

const root = newSigner();
const ada = newSigner();
const policy: OperatorPolicy = {
  roots: [{ name: 'root', publicKey: root.key.text }],
  intentLifetimeMs: HOUR_MS,
  fourEyes: { restore: 1, erasure: 1, chaos: 1, override: 1 },
  witnesses: [],
  whenWitnessesAreAway: 'refuse',
};
const verifier = () => new IntentVerifier(platform, policy);

async function say(
  action: 'operators.add' | 'operators.revoke' | 'operators.re-anchor',
  parameters: Readonly<Record<string, unknown>>,
  by: { readonly name: string; readonly signer: Signer } = { name: 'root', signer: root },
  pool = platform,
): Promise<void> {
  const { head: previous } = await readRegistry(pool, policy.roots);
  const intent = { action, operator: by.name, parameters: { previous, ...parameters } };
  await appendStatement(pool, policy.roots, await signIntent(pool, by.signer, intent, HOUR_MS));
}

async function demand(change: Partial<Demand> = {}): Promise<Demand> {
  const signed = await signIntent(platform, ada, { ...ACTION, operator: 'ada' }, HOUR_MS);
  return { signed, expected: ACTION, owner: randomUUID(), ...change };
}

const refusedWith = (code: string) => expect.objectContaining({ code });

beforeAll(async () => {
  // An analysis that runs just then would keep events from being sealed.
  postgres = await startPostgres({ settings: { autovacuum: false } });
  cleanUp.add(() => postgres.stop());
  await preparePlatformDatabase(
    { host: postgres.socketDirectory, port: postgres.port, user: 'postgres' },
    { database: 'platform', role: 'chronawflow', password: undefined },
  );
  platform = postgres.connect('platform', 'chronawflow', 30);
  superuser = postgres.connect('platform');
  application = await postgres.createDatabase('application');
  await applyMigrations(application, 'application');
  const grants = [{ role: 'requester' }];
  await say('operators.add', { name: 'ada', publicKey: ada.key.text, grants });
}, 240_000);

afterAll(() => cleanUp.run());

test('invariant 3: one of many at once uses an intent, and a retry of the same operation finds its own', async () => {
  const { signed, expected } = await demand();
  const uses = await Promise.allSettled(
    Array.from({ length: 10 }, () => verifier().verifyAlone({ signed, expected, owner: randomUUID() })),
  );
  expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const refused = uses.flatMap((use) => (use.status === 'rejected' ? [use.reason] : []));
  expect(refused).toEqual(Array.from({ length: 9 }, () => refusedWith('INTENT_REPLAYED')));
  const mine = await demand();
  await verifier().verifyAlone(mine);
  await expect(verifier().verifyAlone(mine)).resolves.toMatchObject({
    request: { operator: { name: 'ada' } },
  });
});

test('invariant 3: a change that is rolled back has not used its intent', async () => {
  const wanted = await demand();
  const failed = inTransaction(platform, async (tx) => {
    await verifier().verify(tx, wanted);
    throw new Error('no change');
  });
  await expect(failed).rejects.toThrow('no change');
  await expect(verifier().verifyAlone({ ...wanted, owner: 'another' })).resolves.toBeDefined();
});

test('invariant 7: a refusal is in the audit log although its transaction is gone, and names nobody unproved', async () => {
  const stranger = newSigner();
  const signed = await signIntent(platform, stranger, { ...ACTION, operator: 'ada' }, HOUR_MS);
  const owner = randomUUID();
  const refused = inTransaction(platform, async (tx) =>
    verifier().verify(tx, { signed, expected: ACTION, owner }),
  );
  await expect(refused).rejects.toEqual(refusedWith('OPERATOR_UNKNOWN'));
  const { rows } = await platform.query(
    `select actor, outcome, details ->> 'claimed' as claimed from chronawflow.audit_event where action = 'operators.intent-refused' and request = $1`,
    [owner],
  );
  expect(rows).toEqual([{ actor: 'unknown', outcome: 'OPERATOR_UNKNOWN', claimed: 'ada' }]);
});

describe('a change in the application’s database', () => {
  const change = (
    tx: PoolClient,
    wanted: Demand,
    admit: (tx: PoolClient, demand: Demand) => Promise<unknown>,
  ) => admit(tx, wanted);
  const run = (wanted: Demand, after: () => Promise<void> = async () => undefined) =>
    verifier().during((admit) =>
      inTransaction(application, async (tx) => {
        await change(tx, wanted, admit);
        await after();
      }),
    );

  test('uses the nonce up in its own transaction as well', async () => {
    const wanted = await demand();
    await run(wanted);
    await run(wanted);
    await expect(run({ ...wanted, owner: 'another' })).rejects.toEqual(refusedWith('INTENT_REPLAYED'));
    const { rows } = await application.query(
      'select operator, action from chronawflow.used_intent where owner = $1',
      [wanted.owner],
    );
    expect(rows).toEqual([{ operator: 'ada', action: 'jobs.redrive' }]);
  });

  test('is not repeated with a nonce that a control plane which was set back has forgotten', async () => {
    const wanted = await demand();
    await run(wanted);
    await superuser.query('alter table chronawflow.used_intent disable trigger used_intent_insert_only');
    await superuser.query('delete from chronawflow.used_intent where owner = $1', [wanted.owner]);
    await superuser.query(
      'alter table chronawflow.used_intent enable always trigger used_intent_insert_only',
    );
    await expect(run({ ...wanted, owner: 'another' })).rejects.toEqual(refusedWith('INTENT_REPLAYED'));
  });

  test('invariant 4: a revocation waits for a use that is under way, and ends all that come after it', async () => {
    const bob = newSigner();
    await say('operators.add', { name: 'bob', publicKey: bob.key.text, grants: [{ role: 'requester' }] });
    const byBob = async () =>
      demand({ signed: await signIntent(platform, bob, { ...ACTION, operator: 'bob' }, HOUR_MS) });
    const order: string[] = [];
    let revocation: Promise<void> | undefined;
    await run(await byBob(), async () => {
      revocation = say('operators.revoke', { name: 'bob' }).then(() => {
        order.push('revoked');
      });
      // It is waiting for this transaction when it stands in the queue of the lock.
      for (let waiting = 0; waiting === 0; ) {
        const { rows } = await superuser.query<{ n: number }>(
          `select count(*)::int as n from pg_locks where locktype = 'advisory' and not granted`,
        );
        waiting = rows[0]?.n ?? 0;
      }
      order.push('changed');
    });
    await revocation;
    expect(order).toEqual(['changed', 'revoked']);
    await expect(run(await byBob())).rejects.toEqual(refusedWith('OPERATOR_REVOKED'));
  });
});

test('statements and used intents are insert-only, also for the running role', async () => {
  for (const table of ['operator_statement', 'used_intent']) {
    for (const statement of [
      `delete from chronawflow.${table}`,
      `update chronawflow.${table} set intent = ''`,
      `truncate chronawflow.${table}`,
    ]) {
      await expect(platform.query(statement)).rejects.toThrow(/permission denied|insert-only/);
      await expect(superuser.query(statement)).rejects.toThrow(/insert-only/);
    }
  }
});

test('invariant 1: a row that somebody writes into the registry makes nobody an operator', async () => {
  const mallory = newSigner();
  const parameters = {
    previous: (await readRegistry(platform, policy.roots)).head,
    name: 'mallory',
    publicKey: mallory.key.text,
    grants: [{ role: 'requester' }],
  };
  const { intent, signature } = await signIntent(
    platform,
    mallory,
    { action: 'operators.add', operator: 'root', parameters },
    HOUR_MS,
  );
  await superuser.query(
    'insert into chronawflow.operator_statement (seq, intent, signature) select max(seq) + 1, $1, $2 from chronawflow.operator_statement',
    [intent, signature],
  );
  const signed = await signIntent(platform, mallory, { ...ACTION, operator: 'mallory' }, HOUR_MS);
  await expect(verifier().verifyAlone(await demand({ signed }))).rejects.toEqual(
    refusedWith('OPERATOR_UNKNOWN'),
  );
  await expect(readRegistry(platform, policy.roots)).resolves.toMatchObject({
    ignored: [{ reason: 'its key is none of root’s' }],
  });
});

test('invariant 6: a control plane set back to yesterday revives nobody, until a root says so', async () => {
  const logKey = generateSigningKey('example.com/operators', 'ed25519');
  const signer = new LogSigner({ log: logKey });
  const seal = async (pool = superuser) => {
    await inTransaction(pool, (tx) => openPlatformLog(tx, signer));
    for (let sealed = 1; sealed > 0; ) sealed = (await sealBatch(pool, signer)).events;
  };
  const directory = await mkdtemp(join(tmpdir(), 'chronawflow-witness-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
  const witnessKey = generateSigningKey('witness.example.net', 'cosignature-ed25519');
  const state = await WitnessState.open(join(directory, 'seen.json'));
  const server = await serveWitness(new Witness([witnessKey], [logKey], state), {
    host: '127.0.0.1',
    port: 0,
    onError: (error) => {
      throw error;
    },
  });
  cleanUp.add(() => server.close());
  const witnessed = new IntentVerifier(platform, {
    ...policy,
    witnesses: [{ url: `http://127.0.0.1:${server.port}`, key: witnessKey }],
  });

  await expect(witnessed.verifyAlone(await demand())).rejects.toEqual(refusedWith('WITNESS_AWAY'));
  await seal();
  const used = await demand();
  await witnessed.verifyAlone(used);
  const backup = await backUp();
  await say('operators.revoke', { name: 'ada' });
  const after = await demand();
  await expect(witnessed.verifyAlone(after)).rejects.toEqual(refusedWith('OPERATOR_REVOKED'));
  await seal();
  const carol = newSigner();
  await say('operators.add', { name: 'carol', publicKey: carol.key.text, grants: [{ role: 'requester' }] });
  const byCarol = await signIntent(platform, carol, { ...ACTION, operator: 'carol' }, HOUR_MS);
  await witnessed.verifyAlone({ ...after, signed: byCarol });

  // The control plane as it was: ada is no longer revoked, the newest nonce not used.
  const yesterday = postgres.connect(backup);
  const restored = new IntentVerifier(yesterday, witnessed.policy);
  await expect(restored.verifyAlone(after)).rejects.toEqual(refusedWith('CONTROL_PLANE_SET_BACK'));
  await expect(restored.verifyAlone(used)).rejects.toEqual(refusedWith('CONTROL_PLANE_SET_BACK'));

  // Also once the log has grown beyond what the witness has seen: it is another log now.
  for (let n = 0; n < 20; n += 1) {
    await recordAuditEvent(yesterday, {
      id: `later-${n}`,
      actor: 'a',
      action: 'a',
      outcome: 'ok',
      tenant: `t${n}`,
    });
  }
  await seal(yesterday);
  await expect(restored.verifyAlone(after)).rejects.toEqual(refusedWith('CONTROL_PLANE_SET_BACK'));

  const reAnchor = {
    witnesses: [{ name: witnessKey.name, seen: Number.MAX_SAFE_INTEGER }],
    reason: 'restored',
  };
  await say('operators.revoke', { name: 'ada' }, undefined, yesterday);
  await say('operators.re-anchor', reAnchor, undefined, yesterday);
  await expect(restored.verifyAlone(after)).rejects.toEqual(refusedWith('OPERATOR_REVOKED'));
  const eve = newSigner();
  const grants = [{ role: 'requester' }];
  await say('operators.add', { name: 'eve', publicKey: eve.key.text, grants }, undefined, yesterday);
  const signed = await signIntent(yesterday, eve, { ...ACTION, operator: 'eve' }, HOUR_MS);
  await expect(restored.verifyAlone({ ...after, signed })).resolves.toBeDefined();
});

/** What a backup would bring back: a copy of the database as it is now. @returns its name */
async function backUp(): Promise<string> {
  const postgresDatabase = postgres.connect('postgres');
  await postgresDatabase.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'platform'`,
  );
  await until(
    async () => {
      const { rows } = await postgresDatabase.query(
        `select from pg_stat_activity where datname = 'platform'`,
      );
      return rows.length === 0;
    },
    { what: 'nobody to be connected' },
  );
  await postgresDatabase.query('create database yesterday template platform');
  return 'yesterday';
}
