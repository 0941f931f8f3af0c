import { findBypasses, freezeTenant, measureLookupCost, removeGate } from '../../core/recovery/gate';
import { until } from '../support/until';
import { type GateFixture, linesLookup, outcome, startGateFixture } from './recovery-gate-fixture';

/** Numbers in the names are the lines of the restore's requirements: 1 to 7 are the gate. */
describe('what the gate costs and what passes it', () => {
  let f: GateFixture;
  beforeAll(async () => {
    f = await startGateFixture({ wal_level: 'logical' });
  });
  afterAll(() => f.stop());
  afterEach(() => f.reset());

  const lines = (tenant: string) =>
    ({ schema: 'public', name: 'lines', condition: { kind: 'lookup', sql: linesLookup(tenant) } }) as const;

  it('3: measures the lookup of a path table and leaves nothing of the measurement', async () => {
    await f.app.query(`insert into lines select 1000 + i, 2, 'x' from generate_series(1, 3000) i`);
    const cost = await measureLookupCost(f.gate, lines('acme'));
    expect(cost.rows).toBe(500);
    expect(cost.microsecondsPerRow).toBeGreaterThan(0);
    expect(cost.microsecondsPerRow).toBeLessThan(1000);
    expect(await f.leftovers()).toEqual([]);
    expect((await f.gate.query(`select from pg_tables where tablename like 'lookup_cost%'`)).rowCount).toBe(
      0,
    );
    await f.app.query('delete from lines where id >= 1000');
  });

  it('3: has no figure for a path table without rows of other tenants', async () => {
    expect(await measureLookupCost(f.gate, { ...lines('acme'), name: 'lines' })).toMatchObject({ rows: 1 });
    await f.superuser.query(
      'create table empty_lines (like lines); grant select on empty_lines to chronawflow',
    );
    expect(await measureLookupCost(f.gate, { ...lines('acme'), name: 'empty_lines' })).toEqual({ rows: 0 });
    await f.superuser.query('drop table empty_lines');
  });

  it('costs nothing once it is removed: the tables are as they were', async () => {
    const triggers = async () =>
      (await f.superuser.query(`select tgrelid::regclass::text, tgname from pg_trigger order by 1, 2`)).rows;
    const before = await triggers();
    await f.openRestore('r1');
    await freezeTenant(f.gate, f.spec('r1'), {});
    expect(await triggers()).not.toEqual(before);
    expect(await removeGate(f.gate, 'r1', { lockTimeoutMs: 300, attempts: 5 })).toEqual({ removed: true });
    expect(await triggers()).toEqual(before);
  });

  it('5: finds roles whose sessions start in replica role, and roles that may switch to it', async () => {
    expect(await findBypasses(f.gate)).toEqual([]);
    await f.superuser.query(`
      alter role app set session_replication_role = replica;
      create role loader; grant set on parameter session_replication_role to loader`);
    try {
      expect(await findBypasses(f.gate)).toEqual([
        { kind: 'replica-role-default', role: 'app', database: 'all' },
        { kind: 'may-set-replica-role', role: 'loader' },
      ]);
    } finally {
      await f.superuser.query(`
        alter role app reset session_replication_role;
        revoke set on parameter session_replication_role from loader; drop role loader`);
    }
  });

  it('5: finds a gate trigger that was disabled, and the next freeze puts it right', async () => {
    await f.openRestore('r1');
    await freezeTenant(f.gate, f.spec('r1'), {});
    await f.superuser.query('alter table lines disable trigger all');
    const found = await findBypasses(f.gate);
    expect(found).toHaveLength(4);
    expect(found[0]).toMatchObject({ kind: 'trigger-disabled', table: 'public.lines' });
    await f.superuser.query(
      'alter table lines enable trigger all; alter table lines disable trigger chronawflow_gate_r1_truncate',
    );
    expect(await outcome(f.app, 'truncate lines')).toBe('ok');
    await f.app.query(`insert into lines values (2, 2, 'b')`);
    await freezeTenant(f.gate, f.spec('r1'), {});
    expect(await outcome(f.app, 'truncate lines')).toBe('TF001');
  });

  it('5: finds a subscription and its apply worker, whose changes pass the gate', async () => {
    const publisher = await f.postgres.createDatabase('publisher');
    await publisher.query(`
      create table lines (id int8 primary key, invoice_id int8, note text);
      create publication feed for table lines`);
    await publisher.query(`select pg_create_logical_replication_slot('feed', 'pgoutput')`);
    await f.superuser.query(
      `create subscription feed connection 'host=${f.postgres.socketDirectory} port=${f.postgres.port} dbname=publisher user=postgres'
       publication feed with (create_slot = false, slot_name = 'feed', copy_data = false)`,
    );
    try {
      let found: Awaited<ReturnType<typeof findBypasses>> = [];
      await until(async () => {
        found = await findBypasses(f.gate);
        return found.some((one) => one.kind === 'apply-worker');
      });
      expect(found).toMatchObject([
        { kind: 'subscription', name: 'feed', enabled: true, tables: ['public.lines'] },
        { kind: 'apply-worker', subscription: 'feed' },
      ]);
      await f.openRestore('r1');
      await freezeTenant(f.gate, f.spec('r1', { attempts: 10 }), {});
      await publisher.query(`insert into lines values (5000, 1, 'replicated')`);
      await until(async () => (await f.superuser.query('select from lines where id = 5000')).rowCount === 1);
    } finally {
      await f.superuser.query('drop subscription feed');
      await publisher.end();
    }
  });

  it('compares a tenant column of a type from an extension’s or the application’s own schema', async () => {
    await f.superuser.query(`
      create schema types; create extension citext schema types;
      grant usage on schema types to public;
      create table notes (id int8 primary key, tenant types.citext);
      grant all on notes to app, chronawflow; insert into notes values (1, 'Acme'), (2, 'other')`);
    await f.openRestore('r1');
    const condition = { kind: 'column', column: 'tenant', type: 'types.citext' } as const;
    await freezeTenant(
      f.gate,
      f.spec('r1', { tables: [{ schema: 'public', name: 'notes', condition }] }),
      {},
    );
    expect(await outcome(f.app, 'delete from notes where id = 1')).toBe('TF001');
    expect(await outcome(f.app, 'delete from notes where id = 2')).toBe('ok');
    await f.reset();
    await f.superuser.query('drop table notes');
  });

  it('covers children by plain inheritance, which inherit no trigger', async () => {
    await f.superuser.query(`
      create table events (id int8, tenant text); create table events_old () inherits (events);
      grant all on events, events_old to app, chronawflow; insert into events_old values (1, 'acme')`);
    await f.openRestore('r1');
    const condition = { kind: 'column', column: 'tenant', type: 'text' } as const;
    await freezeTenant(
      f.gate,
      f.spec('r1', { tables: [{ schema: 'public', name: 'events', condition }] }),
      {},
    );
    expect(await outcome(f.app, 'delete from events')).toBe('TF001');
    expect(await outcome(f.app, `insert into events_old values (2, 'acme')`)).toBe('TF001');
    await f.reset();
    await f.superuser.query('drop table events cascade');
  });
});
