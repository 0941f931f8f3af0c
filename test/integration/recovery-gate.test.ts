import {
  extendGate,
  freezeTenant,
  gateState,
  openGate,
  removeGate,
  sweepGates,
} from '../../core/recovery/gate';
import { inTransaction } from '../../database';
import { until } from '../support/until';
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

  describe('opening', () => {
    it('1: admits writes with the commit of the transaction that opens it, not before', async () => {
      await freeze('r1');
      const merge = await openTransaction(f.gate, []);
      await openGate(merge.client, 'r1');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('TF001');
      await merge.end('commit');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
    });

    it('1: leaves the tenant frozen when that transaction rolls back', async () => {
      await freeze('r1');
      const merge = await openTransaction(f.gate, []);
      await openGate(merge.client, 'r1');
      await merge.end('rollback');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('TF001');
    });

    it('opens by itself when the time is up, and says so to whoever relies on it', async () => {
      const { until: end } = await freeze('r1', { untilMs: 3_000 });
      const write = 'update "Invoices" set amount = 12 where id = 1';
      await until(async () => {
        const found = await outcome(f.app, write);
        if (found !== 'ok') expect(found).toBe('TF001');
        return found === 'ok';
      });
      const { rows } = await f.gate.query<{ over: boolean }>(
        'select clock_timestamp() >= $1::timestamptz as over',
        [end],
      );
      expect(rows[0]?.over).toBe(true);
      expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'expired' });
      await expect(extendGate(f.gate, 'r1', 60_000)).rejects.toMatchObject({ code: 'FREEZE_EXPIRED' });
      await expect(inTransaction(f.gate, (tx) => openGate(tx, 'r1'))).rejects.toMatchObject({
        code: 'FREEZE_EXPIRED',
      });
    });

    it('is prolonged, and never shortened', async () => {
      await freeze('r1', { untilMs: 60_000 });
      const longer = await extendGate(f.gate, 'r1', 120_000);
      expect(await extendGate(f.gate, 'r1', 1)).toEqual(longer);
      expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'frozen', until: longer.until });
    });

    it('1: does not let an old snapshot take an extended freeze for expired', async () => {
      await freeze('r1');
      const endsIn = (time: string) =>
        f.superuser.query(`update chronawflow.gate set until = clock_timestamp() + $1::interval`, [time]);
      // What the snapshot sees is over; the extension came in time, and the snapshot does not see it.
      await endsIn('0');
      const old = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
      await endsIn('1 minute');
      await extendGate(f.gate, 'r1', 600_000);
      expect(await outcome(old.client, 'update "Invoices" set amount = 1 where id = 1')).toBe('40001');
      await old.end();
    });

    it('is noticed by the merge when a writer got in by expiry and has not committed yet', async () => {
      await freeze('r1', { untilMs: 300 });
      await until(async () => (await gateState(f.gate, 'r1')).kind === 'expired');
      const writer = await openTransaction(f.app, ['update "Invoices" set amount = 13 where id = 1']);
      const opening = inTransaction(f.gate, (tx) => openGate(tx, 'r1'));
      const settled = expect(opening).rejects.toMatchObject({ code: 'FREEZE_EXPIRED' });
      await writer.end('commit');
      await settled;
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

  describe('repeated calls', () => {
    it('freezes twice with one result', async () => {
      const first = await freeze('r1');
      const second = await freezeTenant(f.gate, f.spec('r1'), {});
      expect(second).toMatchObject({ frozenAt: first.frozenAt, until: first.until, attempts: 0 });
    });

    it('freezes once when two callers ask at the same time', async () => {
      await f.openRestore('r1');
      const both = await Promise.all(
        [1, 2].map(() => freezeTenant(f.gate, f.spec('r1', { attempts: 20 }), {})),
      );
      expect(both[0]?.frozenAt).toBe(both[1]?.frozenAt);
    });

    it('freezes again after expiry, and an old snapshot does not take the new freeze for the opened one', async () => {
      const first = await freeze('r1');
      await inTransaction(f.gate, (tx) => openGate(tx, 'r1'));
      const old = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
      // The reader of organisations stands in the way of dropping that table's triggers, so end it after its look.
      await old.end();
      const sawOpen = await openTransaction(f.app, ['select 1 from pg_database'], 'repeatable read');
      const second = await freezeTenant(f.gate, f.spec('r1'), {});
      expect(second.frozenAt > first.frozenAt).toBe(true);
      expect(await outcome(sawOpen.client, 'update "Invoices" set amount = 1 where id = 1')).toBe('TF001');
      await sawOpen.end();
    });

    it('removes twice, and what was never frozen', async () => {
      await freeze('r1');
      const limits = { lockTimeoutMs: 300, attempts: 3 };
      expect(await removeGate(f.gate, 'r1', limits)).toEqual({ removed: true });
      expect(await removeGate(f.gate, 'r1', limits)).toEqual({ removed: true });
      expect(await removeGate(f.gate, 'unheard of', limits)).toEqual({ removed: true });
    });

    it('holds two tenants apart', async () => {
      await freeze('r1');
      await f.openRestore('r2', 'other');
      const lookup = {
        ...f.spec('r2', { tenant: 'other' }),
        tables: f.tables.filter((t) => t.name !== 'lines'),
      };
      await freezeTenant(f.gate, lookup, {});
      await removeGate(f.gate, 'r1', { lockTimeoutMs: 300, attempts: 3 });
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 2')).toBe('TF001');
    });

    it('sweeps what is over and leaves what is not', async () => {
      await freeze('r1');
      await f.openRestore('r2', 'other');
      await freezeTenant(f.gate, f.spec('r2', { tenant: 'other', tables: f.tables.slice(0, 2) }), {});
      expect(await sweepGates(f.gate)).toEqual([]);
      await f.gate.query(
        `update chronawflow.restore set state = 'failed', closed_at = now() where id = 'r1'`,
      );
      expect(await sweepGates(f.gate)).toEqual([{ restoreId: 'r1', removed: true }]);
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 2')).toBe('TF001');
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
