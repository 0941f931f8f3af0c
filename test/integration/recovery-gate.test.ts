import { freezeTenant, removeGate } from '../../core/recovery/gate';
import { type GateFixture, openTransaction, outcome, startGateFixture } from './recovery-gate-fixture';

/** Numbers in the names are the lines of the restore's requirements: 1 to 7 are the gate. */
describe('the tenant gate', () => {
  let f: GateFixture;
  beforeAll(async () => {
    f = await startGateFixture();
  });
  afterAll(() => f.stop());
  afterEach(() => f.reset());

  const freeze = async (id: string, changes: Parameters<GateFixture['spec']>[1] = {}) => {
    await f.openRestore(id);
    return freezeTenant(f.gate, f.spec(id, changes), {});
  };

  describe('while the tenant is frozen', () => {
    it.each([
      ['insert', `insert into "Invoices" values (100, 'acme', 1)`],
      ['update', `update "Invoices" set amount = 11 where id = 1`],
      ['delete', 'delete from "Invoices" where id = 3'],
      ['delete of the tenant with cascades', `delete from organisations where id = 'acme'`],
      ['truncate', 'truncate lines'],
      ['truncate with cascade', 'truncate "Invoices" cascade'],
      ['copy', `insert into "Invoices" select 200 + i, 'acme', 1 from generate_series(1, 3) i`],
      [
        'on conflict',
        `insert into "Invoices" values (1, 'acme', 1) on conflict (id) do update set amount = 5`,
      ],
      [
        'merge',
        `merge into "Invoices" i using (values (1)) v (id) on i.id = v.id when matched then update set amount = 2`,
      ],
      ['insert into a path table', `insert into lines values (100, 1, 'x')`],
      ['update of a path table', `update lines set note = 'x' where id = 1`],
      ['delete from a path table', 'delete from lines where id = 1'],
      ['insert by a generated column', `insert into documents (id, body) values (100, '{"tenant": "acme"}')`],
      ['delete by a generated column', 'delete from documents where id = 1'],
      ['insert through the partitioned table', `insert into journal values (100, 'acme', 2025)`],
      ['insert into a partition', `insert into journal_2026 values (100, 'acme', 2026)`],
      ['update that changes the partition', `update journal set year = 2026 where id = 1`],
      ['truncate of a partition', 'truncate journal_2026'],
      ['truncate of the partitioned table', 'truncate journal'],
    ])('3: refuses %s with TF001, for any client', async (_, statement) => {
      await freeze('r1');
      expect(await outcome(f.app, statement)).toBe('TF001');
      expect(await outcome(f.superuser, statement)).toBe('TF001');
    });

    it('3: refuses to move a row into or out of the tenant', async () => {
      await freeze('r1');
      expect(await outcome(f.app, `update "Invoices" set "tenantId" = 'acme' where id = 2`)).toBe('TF001');
      expect(await outcome(f.app, `update "Invoices" set "tenantId" = 'other' where id = 1`)).toBe('TF001');
      expect(await outcome(f.app, `update "Invoices" set "tenantId" = null where id = 1`)).toBe('TF001');
      expect(await outcome(f.app, 'update lines set invoice_id = 1 where id = 2')).toBe('TF001');
      expect(await outcome(f.app, 'update lines set invoice_id = 2 where id = 1')).toBe('TF001');
      expect(await outcome(f.app, `update documents set body = '{"tenant": "acme"}' where id = 2`)).toBe(
        'TF001',
      );
    });

    it('3: sees the value that a BEFORE trigger of the application sets, whatever its name sorts after', async () => {
      await f.superuser.query(`
        create function steal() returns trigger language plpgsql as $$ begin new."tenantId" := 'acme'; return new; end $$;
        create trigger zzzzzz before insert or update on "Invoices" for each row execute function steal()`);
      try {
        await freeze('r1');
        expect(await outcome(f.app, `insert into "Invoices" values (100, 'other', 1)`)).toBe('TF001');
        expect(await outcome(f.app, `update "Invoices" set amount = 1 where id = 2`)).toBe('TF001');
      } finally {
        await f.superuser.query('drop function steal() cascade');
      }
    });

    it('3: covers a partition that is attached later', async () => {
      await freeze('r1');
      await f.superuser.query('create table journal_2027 partition of journal for values in (2027)');
      try {
        await f.superuser.query('grant all on journal_2027 to app');
        expect(await outcome(f.app, `insert into journal_2027 values (100, 'acme', 2027)`)).toBe('TF001');
        expect(await outcome(f.app, `insert into journal values (100, 'acme', 2027)`)).toBe('TF001');
        expect(await outcome(f.app, `insert into journal values (100, 'other', 2027)`)).toBe('ok');
      } finally {
        await f.superuser.query('drop table journal_2027');
      }
    });

    it('names the tenant and the restore', async () => {
      await freeze('r1');
      await expect(f.app.query('delete from "Invoices" where id = 3')).rejects.toMatchObject({
        code: 'TF001',
        message: 'tenant acme is frozen by restore r1',
        table: 'Invoices',
      });
    });

    it('lets every other tenant write', async () => {
      await freeze('r1');
      for (const statement of [
        `insert into "Invoices" values (300, 'other', 1)`,
        'update "Invoices" set amount = amount + 1 where id in (2, 300)',
        `insert into lines values (300, 300, 'x')`,
        'delete from lines where id = 300',
        'delete from "Invoices" where id = 300',
        `insert into journal values (300, 'other', 2026)`,
        'delete from journal where id = 300',
        `update documents set body = body || '{"a": 1}' where id = 2`,
      ]) {
        expect([statement, await outcome(f.app, statement)]).toEqual([statement, 'ok']);
      }
    });

    it('5: lets sessions in replica role pass', async () => {
      await freeze('r1');
      const tx = await openTransaction(f.superuser, ['set local session_replication_role = replica']);
      expect(await outcome(tx.client, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
      await tx.end();
    });

    it('7: refuses a write that follows SELECT FOR UPDATE from before the freeze', async () => {
      const holder = await openTransaction(f.app, ['select from "Invoices" where id = 1 for update']);
      await freeze('r1');
      expect(await outcome(holder.client, 'update "Invoices" set amount = 0 where id = 1')).toBe('TF001');
      await holder.end();
    });

    it.each(['repeatable read', 'serializable'])(
      '1: refuses a %s transaction whose snapshot is older than the freeze',
      async (isolation) => {
        const old = await openTransaction(f.app, ['select count(*) from organisations'], isolation);
        await freeze('r1');
        expect(await outcome(old.client, `insert into "Invoices" values (100, 'acme', 1)`)).toBe('TF001');
        await old.end();
      },
    );

    it('1: makes a transaction start anew that still sees a parent row as another tenant’s', async () => {
      const old = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
      await f.app.query(`update "Invoices" set "tenantId" = 'acme' where id = 2`);
      try {
        await freeze('r1');
        expect(await outcome(old.client, `update lines set note = 'moved' where id = 2`)).toBe('40001');
        const fresh = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
        expect(await outcome(fresh.client, `update lines set note = 'moved' where id = 2`)).toBe('TF001');
        await fresh.end();
      } finally {
        await old.end();
        await f.reset();
        await f.app.query(`update "Invoices" set "tenantId" = 'other' where id = 2`);
      }
    });
  });

  describe('the role', () => {
    it('4: has exactly the rights of application-role.sql: no superuser, owner of no table of the application', async () => {
      const { rows } = await f.gate.query<{ super: boolean; owned: string }>(
        `select rolsuper as super, (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where c.relowner = r.oid and n.nspname = 'public') as owned from pg_roles r where rolname = current_user`,
      );
      expect(rows[0]).toEqual({ super: false, owned: '0' });
      await freeze('r1');
      const trigger = (await f.leftovers()).find((name) => name.endsWith('on lines'))?.split(' ')[0];
      expect(await outcome(f.gate, `drop trigger ${trigger} on lines`)).toBe('42501');
      expect(await removeGate(f.gate, 'r1', { lockTimeoutMs: 300, attempts: 3 })).toEqual({ removed: true });
      expect(await f.leftovers()).toEqual([]);
    });

    it('4: is told which right it lacks, also on a partition', async () => {
      await f.superuser.query('revoke trigger on journal_2026 from chronawflow');
      try {
        await expect(freeze('r1')).rejects.toMatchObject({
          code: 'RIGHTS_MISSING',
          message: expect.stringContaining('public.journal_2026'),
        });
        expect(await f.leftovers()).toEqual([]);
      } finally {
        await f.superuser.query('grant trigger on journal_2026 to chronawflow');
      }
    });
  });

  it('takes any restore ID and tenant key', async () => {
    const id = `restore/a"b'c\\$$/${'x'.repeat(100)}`;
    const tenant = `o'hara \\ "$gate$"`;
    await f.app.query('insert into organisations values ($1, $1)', [tenant]);
    await f.openRestore(id, tenant);
    const tables = f.tables.filter((table) => table.condition.kind === 'column');
    await freezeTenant(f.gate, f.spec(id, { tenant, tables }), {});
    await expect(f.app.query('delete from organisations where id = $1', [tenant])).rejects.toMatchObject({
      code: 'TF001',
    });
    expect((await f.leftovers()).every((name) => Buffer.byteLength(name.split(' on ')[0] ?? '') <= 63)).toBe(
      true,
    );
    expect(await removeGate(f.gate, id, { lockTimeoutMs: 300, attempts: 3 })).toEqual({ removed: true });
    await f.app.query('delete from organisations where id = $1', [tenant]);
  });

  it('refuses a tenant key that its column cannot hold, and a table that is not there', async () => {
    await f.openRestore('r1');
    const table = (name: string, type: string) => [
      { schema: 'public', name, condition: { kind: 'column', column: 'id', type } as const },
    ];
    for (const tables of [table('Invoices', 'int8'), table('nowhere', 'text')]) {
      await expect(freezeTenant(f.gate, f.spec('r1', { tables }), {})).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      });
    }
  });
});
