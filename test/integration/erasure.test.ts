import { generateKeyPairSync } from 'node:crypto';
import type { Pool } from 'pg';
import { ErasureClient } from '../../client/erasure';
import { FourEyes, type SignedRequest } from '../../client/four-eyes';
import { OperatorSigning } from '../../client/operator-signing';
import { OperatorsClient } from '../../client/operators';
import { type Config, configSchema } from '../../config';
import {
  forwardOutbox,
  generateSigningKey,
  recordAuditEvent,
  verifyDatabase,
  writeOutbox,
} from '../../core/audit';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { eraseSubject, verifyErasureReceipt } from '../../core/erasure';
import { type Signer, signerOfPem } from '../../core/operators';
import { rowEraser } from '../../core/recovery';
import { type RealApplication, startApplication } from '../support/real-application';
import { openWorld, SliceLab } from '../support/slice-lab';

/** The invariants are those of core/erasure/README.md. */

const SCHEMA = `
create table tenants (id text primary key); insert into tenants values ('a'), ('b');
create table customer (id int primary key, tenant_id text not null references tenants, email text, name text not null, city text);
create table visit (id int primary key, customer int not null references customer on delete cascade, note text);
create table letter (tenant_id text not null, recipient text, body text);
insert into customer select n, case when n % 2 = 0 then 'a' else 'b' end, case when n < 2 then 'ada@example.org' else 'p' || n end, 'Name ' || n, 'Here'
  from generate_series(0, 9) n;
insert into visit select n, n, case when n < 2 then 'ada@example.org' else 'p' || n end from generate_series(0, 9) n;
insert into letter values ('a', 'ada@example.org', 'Dear Ada'), ('a', 'p2', 'Dear you'), ('b', 'ada@example.org', 'Dear Ada');
`;

const RULES = {
  backupRetention: '35d',
  tables: {
    'public.customer': { subject: 'email', set: { email: null, name: 'erased' } },
    'public.visit': { subject: 'note', delete: true },
    'public.letter': { subject: 'recipient', set: { body: '', recipient: null } },
  },
};

const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });
const ADA = 'ada@example.org';

let app: RealApplication;
let lab: SliceLab;
let erasure: ErasureClient;

beforeAll(async () => {
  app = await startApplication({ backup: false });
});
afterAll(() => app?.stop());
beforeEach(async () => {
  const world = await openWorld(app, { schema: SCHEMA });
  lab = new SliceLab({ ...world.app, config: withRules(world.app.config, RULES) });
  erasure = clientOf(lab.app.config);
  // Erasures are the platform's, which all worlds share.
  const owner = app.platformCluster.connect('chronawflow', 'postgres', 1);
  await owner.query(`set session_replication_role = replica; alter table chronawflow.audit_personal disable trigger all;
    truncate chronawflow.audit_personal, chronawflow.erasure, chronawflow.legal_hold, chronawflow.erasure_salt;
    alter table chronawflow.audit_personal enable always trigger audit_personal_only_erase;
    alter table chronawflow.audit_personal enable always trigger audit_personal_no_truncate`);
  await owner.end();
});
afterEach(() => lab.drop());

function clientOf(config: Config, signer?: Signer): ErasureClient {
  const signing = new OperatorSigning(config, app.platform, signer);
  return new ErasureClient(config, app.platform, lab.app.application, signing);
}

function withRules(config: Config, rules: object | undefined): Config {
  return { ...config, erasure: configSchema.shape.erasure.parse(rules) };
}

const erase = (subject = ADA) => erasure.erase({ tenant: 'a', subject, reason: 'request 1', as: 'grace' });
const time = async (db: Pool) =>
  (await db.query<{ at: string }>(`select clock_timestamp()::text as at`)).rows[0]?.at ?? '';
const rowsOfAda = async () =>
  (
    await lab.live.query(
      `select (select count(*) from customer where email = '${ADA}' and tenant_id = t)::int as customers,
              (select count(*) from visit v join customer c on c.id = v.customer where c.tenant_id = t and note = '${ADA}')::int as visits,
              (select count(*) from letter where tenant_id = t and recipient = '${ADA}')::int as letters
         from unnest(array['a', 'b']) t order by t`,
    )
  ).rows;
const HERE = { customers: 1, visits: 1, letters: 1 };
const GONE = { customers: 0, visits: 0, letters: 0 };

describe('erasing', () => {
  test('takes the person’s rows of that tenant, and nobody else’s', async () => {
    const report = await erase();
    expect(report.rows).toEqual(
      expect.arrayContaining([
        { table: 'public.customer', rows: 1 },
        { table: 'public.visit', rows: 1 },
        { table: 'public.letter', rows: 1 },
      ]),
    );
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
    const { rows } = await lab.live.query(`select email, name, city from customer where id = 0`);
    expect(rows).toEqual([{ email: null, name: 'erased', city: 'Here' }]);
    expect((await lab.live.query('select 1 from visit')).rowCount).toBe(9);
  });

  test('leaves nothing in the register that names the person', async () => {
    await erase();
    const { rows } = await app.platform.query(
      `select e::text as text from chronawflow.erasure e union all select s::text from chronawflow.erasure_salt s
       union all select a::text from chronawflow.audit_event a where action = 'erasure'`,
    );
    expect(rows.length).toBeGreaterThan(2);
    expect(JSON.stringify(rows)).not.toContain('ada@');
    expect(JSON.stringify(rows)).not.toContain(Buffer.from(ADA).toString('hex'));
  });

  test('invariant 8: what was begun by a call that died is ended by the next one', async () => {
    const dies = { requireIdle: async () => undefined, eraseRows: () => Promise.reject(new Error('killed')) };
    const request = { tenant: 'a', subject: ADA, by: 'grace', reason: 'x' };
    await expect(eraseSubject(app.platform, dies, { backupRetention: 1 }, request)).rejects.toThrow('killed');
    const { rows } = await app.platform.query('select erased_at from chronawflow.erasure');
    expect(rows).toEqual([{ erased_at: null }]);
    await erase();
    const { rows: ended } = await app.platform.query(
      'select erased_at is not null as ended from chronawflow.erasure',
    );
    expect(ended).toEqual([{ ended: true }]);
    await erase();
    expect((await app.platform.query('select 1 from chronawflow.erasure')).rowCount).toBe(2);
  });

  test.each([
    ['a table that is no tenant’s', { 'public.nothing': { subject: 'x', delete: true } }],
    ['a column that is not there', { 'public.customer': { subject: 'mail', set: { email: null } } }],
    ['nothing to set', { 'public.customer': { subject: 'email', set: { phone: null } } }],
  ])('a rule about %s is refused, and nothing is erased', async (_, tables) => {
    const config = withRules(lab.app.config, { ...RULES, tables: { ...RULES.tables, ...tables } });
    const wrong = clientOf(config);
    await expect(wrong.erase({ tenant: 'a', subject: ADA, reason: 'x' })).rejects.toMatchObject({
      code: 'ERASURE_RULE',
    });
    expect(await rowsOfAda()).toEqual([HERE, HERE]);
  });
});

describe('a restore', () => {
  test('invariant 2: to before the erasure does not bring the person back, and says so', async () => {
    const at = await time(lab.live);
    const target = await lab.captureTarget();
    await erase();
    await lab.live.query(`update customer set city = 'There'; delete from letter where tenant_id = 'a'`);
    const { preview, merge } = await lab.restore('a', target, { at });
    expect(preview.erasedAgain).toEqual({ erasures: 1, rows: 3 });
    expect(merge).toMatchObject({ kind: 'merged' });
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
    const { rows } = await lab.live.query(
      `select city, email, name from customer where tenant_id = 'a' order by id limit 2`,
    );
    expect(rows).toEqual([
      { city: 'Here', email: null, name: 'erased' },
      { city: 'Here', email: 'p2', name: 'Name 2' },
    ]);
    expect((await lab.live.query(`select 1 from letter where tenant_id = 'a'`)).rowCount).toBe(2);
  });

  test('to after the erasure leaves alone who came back of their own will', async () => {
    await erase();
    await lab.live.query(`update customer set email = '${ADA}', name = 'Ada again' where id = 0`);
    const at = await time(lab.live);
    const target = await lab.captureTarget();
    await lab.live.query(`update customer set name = 'lost'`);
    const { preview } = await lab.restore('a', target, { at });
    expect(preview.erasedAgain).toBeUndefined();
    const { rows } = await lab.live.query(`select email, name from customer where id = 0`);
    expect(rows).toEqual([{ email: ADA, name: 'Ada again' }]);
  });

  test('invariant 1: what is erased between preview and merge stops the merge, and is erased in the next one', async () => {
    const at = await time(lab.live);
    const target = await lab.captureTarget();
    await lab.live.query(`update customer set city = 'There'`);
    const { tenancy, erasure: section } = lab.app.config;
    const rules = section?.tables ?? {};
    const prepared = await lab.prepare('a', target, { at });
    try {
      await expect(erase()).rejects.toMatchObject({ code: 'RESTORE_IN_PROGRESS' });
      expect((await app.platform.query('select 1 from chronawflow.erasure')).rowCount).toBe(0);
      // The one that had looked just before the restore began: registered, and its rows are not to be had.
      const late = {
        ...rowEraser(lab.app.application, { tenancy, rules }),
        requireIdle: async () => undefined,
      };
      const request = { tenant: 'a', subject: ADA, by: 'grace', reason: 'x' };
      await expect(eraseSubject(app.platform, late, { backupRetention: 1 }, request)).rejects.toThrow();
      await expect(prepared.merge()).rejects.toMatchObject({ code: 'STAGING_LOST' });
      await expect(prepared.previewAgain()).rejects.toMatchObject({ code: 'STAGING_LOST' });
    } finally {
      await prepared.end();
    }
    await erase();
    expect((await app.platform.query('select 1 from chronawflow.erasure')).rowCount).toBe(1);
    const { preview } = await lab.restore('a', target, { at });
    expect(preview.erasedAgain).toEqual({ erasures: 1, rows: 3 });
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
  });

  test('invariant 3: an undo does not bring back who was erased after the restore', async () => {
    const at = await time(lab.live);
    const target = await lab.captureTarget();
    await lab.live.query(`update customer set city = 'There' where tenant_id = 'a'`);
    await lab.live.query(`update letter set body = 'new' where tenant_id = 'a'`);
    const { restoreId } = await lab.restore('a', target, { at });
    const report = await erase();
    expect(report.rows).toContainEqual({ table: `public.customer (pre-images of ${restoreId})`, rows: 1 });
    const undo = await lab.prepareUndo('a', restoreId, [
      { table: 'public.customer', kind: 'changed-since', decision: 'skip' },
      { table: 'public.letter', kind: 'changed-since', decision: 'skip' },
    ]);
    try {
      await undo.merge();
    } finally {
      await undo.end();
    }
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
  });

  test('without the rules that an erasure went by there is no restore', async () => {
    const target = await lab.captureTarget();
    await erase();
    const forgetful = new SliceLab({ ...lab.app, config: withRules(lab.app.config, undefined) });
    await expect(forgetful.prepare('a', target)).rejects.toMatchObject({ code: 'ERASURE_RULE' });
  });
});

describe('where operators sign', () => {
  const [root, ada, bob] = ['root', 'ada', 'bob'].map(() => {
    const { privateKey } = generateKeyPairSync('ed25519');
    return signerOfPem(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  });
  const known = (signer: Signer | undefined) => {
    if (signer === undefined) throw new Error('no key');
    return signer;
  };
  let config: Config;
  beforeEach(async () => {
    config = { ...lab.app.config, operators: operators(known(root)) };
    const registry = new OperatorsClient(app.platform, new OperatorSigning(config, app.platform, root));
    if ((await registry.list()).length > 1) return;
    await registry.add({
      name: 'ada',
      publicKey: known(ada).key.text,
      grants: [{ role: 'requester' }, { role: 'approver' }],
    });
    await registry.add({
      name: 'bob',
      publicKey: known(bob).key.text,
      grants: [{ role: 'approver', tenants: ['a'] }],
    });
  });
  const request = { tenant: 'a', subject: ADA, reason: 'request 1' };
  const act = (signed: SignedRequest, other: Partial<typeof request> = {}) =>
    clientOf(config, ada).erase({ ...request, ...other, signed });
  const approve = (signer: Signer | undefined, signed: SignedRequest) =>
    new FourEyes(new OperatorSigning(config, app.platform, signer)).approve(signed);

  test('nothing is erased that nobody else has signed, and nothing else than what they have signed', async () => {
    const signed = await clientOf(config, ada).request(request);
    await expect(act(signed)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
    const own = { ...signed, approvals: [await approve(ada, signed)] };
    await expect(act(own)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
    const approved = { ...signed, approvals: [await approve(bob, signed)] };
    await expect(act(approved, { subject: 'p2' })).rejects.toMatchObject({ code: 'INTENT_MISMATCH' });
    const other = await clientOf(config, ada).request(request);
    await expect(act({ ...other, approvals: approved.approvals })).rejects.toMatchObject({
      code: 'INTENT_MISMATCH',
    });
    expect((await app.platform.query('select 1 from chronawflow.erasure')).rowCount).toBe(0);
    expect(await rowsOfAda()).toEqual([HERE, HERE]);
    await act(approved);
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
    const { rows } = await app.platform.query(
      `select actor from chronawflow.audit_event where action = 'erasure' order by at desc limit 1`,
    );
    expect(rows).toEqual([{ actor: 'ada' }]);
  });

  test('who may only approve does not erase, and holds are an administrator’s', async () => {
    const signed = await clientOf(config, bob).request(request);
    await expect(act({ ...signed, approvals: [await approve(ada, signed)] })).rejects.toMatchObject({
      kind: 'refused',
    });
    await expect(clientOf(config, ada).hold({ tenant: 'a', reason: 'x' })).rejects.toMatchObject({
      kind: 'refused',
    });
    const id = await clientOf(config, root).hold({ tenant: 'a', reason: 'x' });
    await expect(clientOf(config, ada).liftHold(id, { reason: 'x' })).rejects.toMatchObject({
      kind: 'refused',
    });
    expect(await clientOf(config, root).liftHold(id, { reason: 'x' })).toBe(true);
  });

  function operators(signer: Signer): Config['operators'] {
    return configSchema.shape.operators.parse({ administrators: { root: signer.key.text } });
  }
});

describe('a legal hold', () => {
  test.each([
    ['the person', ADA],
    ['the whole tenant', undefined],
  ])('on %s keeps everything as it is, and says why', async (_, subject) => {
    const id = await erasure.hold({ tenant: 'a', subject, reason: 'case 12', as: 'heinz' });
    await expect(erase()).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
      message: expect.stringMatching(/heinz.*case 12/),
    });
    expect(await rowsOfAda()).toEqual([HERE, HERE]);
    expect(await erasure.holds('a')).toMatchObject([{ id, ofSubject: subject !== undefined }]);
    expect(await erasure.liftHold(id, { reason: 'closed', as: 'heinz' })).toBe(true);
    expect(await erasure.liftHold(id, { reason: 'closed', as: 'heinz' })).toBe(false);
    await erase();
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
  });

  test('on somebody else forbids nothing', async () => {
    await erasure.hold({ tenant: 'a', subject: 'p2', reason: 'x' });
    await erasure.hold({ tenant: 'b', reason: 'x' });
    await erase();
    expect(await rowsOfAda()).toEqual([GONE, HERE]);
  });
});

describe('beside the audit log', () => {
  let n = 0;
  const record = (id: string, subject = ADA) =>
    recordAuditEvent(app.platform, {
      ...{ id, actor: 'grace', action: 'test', tenant: 'a', outcome: 'ok' },
      personal: { subject, data: { name: 'Ada', phone: '1815' } },
    });
  const verify = async () => {
    while ((await sealBatch(owner, signer)).events > 0);
    // What earlier tests had was taken away between them.
    return (await verifyDatabase(owner, key)).violations.filter(
      ({ eventId, problem }) => !problem.includes(' may ') && (eventId === undefined || own.has(eventId)),
    );
  };
  const own = new Set<string>();
  beforeEach(() => own.clear());
  let owner: Pool;
  beforeAll(() => {
    owner = app.platformCluster.connect('chronawflow', 'postgres', 3);
  });
  const id = () => {
    const one = `personal/${++n}/${process.pid}`;
    own.add(one);
    return one;
  };

  test('invariant 6: data and salt go, the log still verifies, and the receipt proves it to the person alone', async () => {
    const [mine, other] = [id(), id()];
    await record(mine);
    await record(other, 'p2');
    expect(await verify()).toEqual([]);
    const report = await erase();
    expect(report.auditEvents).toBe(1);
    expect(report.backupsExpireOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const { rows } = await app.platform.query(
      'select event_id, subject, salt, data from chronawflow.audit_personal where event_id = any ($1) order by subject nulls first',
      [[mine, other]],
    );
    expect(rows).toMatchObject([
      { event_id: mine, subject: null, salt: null, data: null },
      { event_id: other, subject: 'p2', data: '{"name":"Ada","phone":"1815"}' },
    ]);
    expect(await verify()).toEqual([]);
    const receipt: unknown = JSON.parse(await erasure.receipt(report));
    expect(verifyErasureReceipt(receipt, key, [], ADA)).toMatchObject({
      tenant: 'a',
      backupsExpireOn: report.backupsExpireOn,
    });
    expect(() => verifyErasureReceipt(receipt, key, [], 'p2')).toThrow('somebody else');
    expect(JSON.stringify(receipt)).not.toContain('ada@');
  });

  test('the same event again changes nothing of it', async () => {
    const one = id();
    await record(one);
    await record(one, 'p2');
    const { rows } = await app.platform.query(
      'select subject from chronawflow.audit_personal where event_id = $1',
      [one],
    );
    expect(rows).toEqual([{ subject: ADA }]);
  });

  test('an event of the application’s outbox brings its personal data along', async () => {
    await writeOutbox(lab.app.application, [
      {
        actor: 'app',
        action: 'outbox-test',
        tenant: 'a',
        outcome: 'ok',
        personal: { subject: ADA, data: { x: 1 } },
      },
      { actor: 'app', action: 'outbox-test', tenant: 'a', outcome: 'ok' },
    ]);
    await forwardOutbox(lab.app.application, app.platform);
    const { rows } = await app.platform.query<{ id: string; subject: string; data: string }>(
      `select e.id, p.subject, p.data from chronawflow.audit_event e join chronawflow.audit_personal p on p.event_id = e.id where e.action = 'outbox-test'`,
    );
    expect(rows).toMatchObject([{ subject: ADA, data: '{"x":1}' }]);
    for (const row of rows) own.add(row.id);
    expect(await verify()).toEqual([]);
  });

  test('the database refuses every other change, and an erasure under a hold', async () => {
    const one = id();
    await record(one);
    const change = (sql: string, values: unknown[] = [one]) =>
      owner.query(`update chronawflow.audit_personal set ${sql} where event_id = $1`, values);
    await expect(change(`data = '{}'`)).rejects.toThrow('can only be erased');
    await expect(
      owner.query('delete from chronawflow.audit_personal where event_id = $1', [one]),
    ).rejects.toThrow('can only be erased');
    await expect(owner.query('truncate chronawflow.audit_personal')).rejects.toThrow('insert-only');
    await erase('somebody');
    const { rows } = await owner.query<{ id: string }>('select max(id) as id from chronawflow.erasure');
    const gone = 'subject = null, salt = null, data = null, erased_by = $2';
    await expect(change(gone, [one, rows[0]?.id])).rejects.toThrow('registered erasure');
    await erase('p2');
    await erasure.hold({ tenant: 'a', reason: 'x' });
    await owner.query(
      `insert into chronawflow.erasure (tenant, subject_hash, proof_salt, requested_by, reason)
       select 'a', sha256(salt || convert_to($1, 'UTF8')), salt, 'x', 'x' from chronawflow.erasure_salt where tenant = 'a'`,
      [ADA],
    );
    const { rows: own } = await owner.query<{ id: string }>('select max(id) as id from chronawflow.erasure');
    await expect(change(gone, [one, own[0]?.id])).rejects.toThrow('legal hold');
  });

  test.each([
    [
      'changed',
      `update chronawflow.audit_personal set data = '{}' where event_id = $1`,
      'other personal data',
    ],
    ['gone', 'delete from chronawflow.audit_personal where event_id = $1', 'no erasure took it'],
  ])('verify finds personal data that was %s by who could switch the guard off', async (_, sql, problem) => {
    const one = id();
    await record(one);
    const guard = 'alter table chronawflow.audit_personal';
    await owner.query(`${guard} disable trigger audit_personal_only_erase`);
    await owner.query(sql, [one]);
    await owner.query(`${guard} enable always trigger audit_personal_only_erase`);
    expect(await verify()).toContainEqual(
      expect.objectContaining({ eventId: one, problem: expect.stringContaining(problem) }),
    );
    await owner.query(`${guard} disable trigger audit_personal_only_erase`);
    await owner.query('delete from chronawflow.audit_personal where event_id = $1', [one]);
    await owner.query(`${guard} enable always trigger audit_personal_only_erase`);
  });
});
