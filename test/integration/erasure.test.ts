import { generateKeyPairSync } from 'node:crypto';
import type { Pool } from 'pg';
import type { ErasureClient } from '../../client/erasure';
import { FourEyes, type SignedRequest } from '../../client/four-eyes';
import { OperatorSigning } from '../../client/operator-signing';
import { OperatorsClient } from '../../client/operators';
import { type Config, configSchema } from '../../config';
import { eraseSubject } from '../../core/erasure';
import { type Signer, signerOfPem } from '../../core/operators';
import { rowEraser } from '../../core/recovery';
import { ADA, type ErasureLab, RULES, useErasureLab, withRules } from '../support/erasure-lab';
import type { RealApplication } from '../support/real-application';
import { SliceLab } from '../support/slice-lab';

/** The invariants are those of core/erasure/README.md. */

let app: RealApplication;
let world: ErasureLab;
let lab: SliceLab;
let erasure: ErasureClient;
useErasureLab((opened, its) => {
  app = opened;
  world = its;
  ({ slices: lab, erasure } = its);
});

const erase = (subject = ADA) => world.erase(subject);
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
    const wrong = world.clientOf(config);
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
    world.clientOf(config, ada).erase({ ...request, ...other, signed });
  const approve = (signer: Signer | undefined, signed: SignedRequest) =>
    new FourEyes(new OperatorSigning(config, app.platform, signer)).approve(signed);

  test('nothing is erased that nobody else has signed, and nothing else than what they have signed', async () => {
    const signed = await world.clientOf(config, ada).request(request);
    await expect(act(signed)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
    const own = { ...signed, approvals: [await approve(ada, signed)] };
    await expect(act(own)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
    const approved = { ...signed, approvals: [await approve(bob, signed)] };
    await expect(act(approved, { subject: 'p2' })).rejects.toMatchObject({ code: 'INTENT_MISMATCH' });
    const other = await world.clientOf(config, ada).request(request);
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
    const signed = await world.clientOf(config, bob).request(request);
    await expect(act({ ...signed, approvals: [await approve(ada, signed)] })).rejects.toMatchObject({
      kind: 'refused',
    });
    await expect(world.clientOf(config, ada).hold({ tenant: 'a', reason: 'x' })).rejects.toMatchObject({
      kind: 'refused',
    });
    const id = await world.clientOf(config, root).hold({ tenant: 'a', reason: 'x' });
    await expect(world.clientOf(config, ada).liftHold(id, { reason: 'x' })).rejects.toMatchObject({
      kind: 'refused',
    });
    expect(await world.clientOf(config, root).liftHold(id, { reason: 'x' })).toBe(true);
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
