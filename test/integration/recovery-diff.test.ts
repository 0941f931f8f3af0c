import type { SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';
import { until } from '../support/until';

const { twoTenants: world, all } = useSliceLabs();

describe('8: equality is by stored image', () => {
  /** Pairs that their type's `=` takes for equal, or that have no `=` at all. */
  const pairs = [
    { type: 'numeric', at: `'1.0'`, now: `'1.00'` },
    { type: 'numeric(6,2)', at: `'NaN'`, now: `'1'` },
    { type: 'float8', at: `'0'`, now: `'-0'` },
    { type: 'float4', at: `'-0'`, now: `'0'` },
    { type: 'float8', at: `'0.1'`, now: `'0.10000000000000002'` },
    { type: 'json', at: `'{"a": 1}'`, now: `'{"a":1}'` },
    { type: 'json', at: `'{"a":1,"a":2}'`, now: `'{"a":2}'` },
    { type: 'jsonb', at: `'1.0'`, now: `'1.00'` },
    { type: 'point', at: `'(0,0)'`, now: `'(-0,0)'` },
    { type: 'numeric[]', at: `'{1.0,NULL}'`, now: `'{1.00,NULL}'` },
    { type: 'int[]', at: `'[2:3]={1,2}'`, now: `'{1,2}'` },
    { type: 'numrange', at: `'[1.0,2)'`, now: `'[1.00,2)'` },
    { type: 'interval', at: `'1 day'`, now: `'24:00:00'` },
    { type: 'timetz', at: `'12:00+00'`, now: `'13:00+01'` },
    { type: 'char(4)', at: `'ab'`, now: `'ac'` },
    { type: 'bpchar', at: `'ab '`, now: `'ab'` },
    { type: 'citext', at: `'A'`, now: `'a'` },
    { type: 'text collate any_case', at: `'A'`, now: `'a'` },
    { type: 'money', at: `'1.00'`, now: `'1.01'` },
    { type: 'xml', at: `'<a/>'`, now: `'<a></a>'` },
    { type: 'bytea', at: `'\\x00'`, now: `'\\x0000'` },
    { type: 'timestamptz', at: `'infinity'`, now: `'2026-01-01'` },
    { type: 'pair', at: `'(1.0,A)'`, now: `'(1.00,A)'` },
    { type: 'cents', at: `'1.0'`, now: `'1.00'` },
    { type: 'text', at: `''`, now: 'null' },
    { type: 'box', at: `'(1,1),(0,0)'`, now: `'(1,1),(-0,0)'` },
  ];

  test('8: 1.0 and 1.00, 0 and -0, A and a in citext, documents that differ in blanks are different, as columns', async () => {
    const tables = pairs.map(
      ({ type, at }, i) => `create table t${i} (id int primary key, tenant_id text not null, v ${type});
        insert into t${i} values (1, 'a', ${at}), (2, 'a', ${at}), (3, 'b', ${at});`,
    );
    const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create domain cents as numeric; create type pair as (n numeric, c citext); ${tables.join('\n')}`);
    const target = await lab.captureTarget();
    const read = () => Promise.all(pairs.map((_, i) => all(lab, `t${i}`)));
    const atTarget = await read();
    for (const [i, { now }] of pairs.entries())
      await lab.live.query(`update t${i} set v = ${now} where id = 1`);
    const { preview } = await lab.restore('a', target);
    const counts = (update: number, unchanged: number) =>
      pairs.map(({ type }, i) => ({ type, table: `public.t${i}`, insert: 0, update, delete: 0, unchanged }));
    const counted = (tables: typeof preview.tables) =>
      pairs.map(({ type }, i) => {
        const {
          table,
          insert,
          update,
          delete: gone,
          unchanged,
        } = tables.find((t) => t.table === `public.t${i}`) ?? {};
        return { type, table, insert, update, delete: gone, unchanged };
      });
    expect(counted(preview.tables)).toEqual(counts(1, 1));
    expect(await read()).toEqual(atTarget);
    const again = await lab.restore('a', target);
    expect(counted(again.preview.tables)).toEqual(counts(0, 2));
  });

  test('19: a digest sees two rows exchange a column, and a column moved within a row', async () => {
    const lab =
      await world(`create table t (id int primary key, tenant_id text references tenants, a int, b int);
      insert into t values (1, 'a', 10, 20), (2, 'a', 30, 40)`);
    const target = await lab.captureTarget();
    const digests = new Set<string>();
    for (const values of [
      '(1, 10, 20), (2, 30, 40)',
      '(1, 30, 20), (2, 10, 40)',
      '(1, 10, 40), (2, 30, 20)',
      '(1, 20, 10), (2, 30, 40)',
    ]) {
      await lab.live.query(
        `update t set a = v.a, b = v.b from (values ${values}) v (id, a, b) where v.id = t.id`,
      );
      const prepared = await lab.prepare('a', target);
      digests.add(prepared.preview.digestNow);
      await prepared.end();
    }
    expect(digests.size).toBe(4);
  });

  test('8: a digest tells images apart that the type takes for equal', async () => {
    const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table t (id int primary key, tenant_id text not null, n numeric, c citext, i text collate any_case, f float8);
      insert into t values (1, 'a', 1.0, 'A', 'A', 0);`);
    const digests = new Set<string>();
    const target = await lab.captureTarget();
    for (const set of ['n = 1.0', 'n = 1.00', `n = 1.0, c = 'a'`, `c = 'A', i = 'a'`, `i = 'A', f = '-0'`]) {
      await lab.live.query(`update t set ${set}`);
      const prepared = await lab.prepare('a', target);
      digests.add(prepared.preview.digestNow);
      await prepared.end();
    }
    expect(digests.size).toBe(5);
  });

  test.each([
    { type: 'citext', at: `'Key'`, now: `'kEY'` },
    { type: 'numeric', at: `1.0`, now: `1.00` },
    { type: 'float8', at: `0`, now: `'-0'` },
    { type: 'text collate any_case', at: `'Key'`, now: `'KEY'` },
  ])(
    '8: a key of type $type whose image changed, not its value, comes back as it was',
    async ({ type, at, now }) => {
      const lab = await world(`create extension citext;
      create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      create table t (k ${type} primary key, tenant_id text not null, note text);
      create table only_key (tenant_id text not null, k ${type}, primary key (tenant_id, k));
      insert into t values (${at}, 'a', 'x'); insert into only_key values ('a', ${at});`);
      const target = await lab.captureTarget();
      const atTarget = [await all(lab, 't'), await all(lab, 'only_key')];
      await lab.live.query(`update t set k = ${now}; update only_key set k = ${now}`);
      const { preview } = await lab.restore('a', target);
      expect(preview.totals).toMatchObject({ insert: 0, update: 2, delete: 0 });
      expect([await all(lab, 't'), await all(lab, 'only_key')]).toEqual(atTarget);
    },
  );

  test('8: session defaults of the role change neither diff nor hash', async () => {
    const lab =
      await world(`create table t (id int primary key, tenant_id text not null, at timestamptz, f float8, b bytea, i interval);
      insert into t values (1, 'a', '2026-01-01 12:00:00.123456Z', 0.1, '\\xdeadbeef', '1 mon 2 days');
      alter role chronawflow set timezone = 'Asia/Kathmandu'; alter role chronawflow set extra_float_digits = -3;
      alter role chronawflow set bytea_output = 'escape'; alter role chronawflow set intervalstyle = 'iso_8601';`);
    try {
      const target = await lab.captureTarget();
      const { preview, merge } = await lab.restore('a', target);
      expect(preview.totals).toMatchObject({ insert: 0, update: 0, delete: 0, unchanged: 2 });
      expect(merge).toMatchObject({ kind: 'merged' });
    } finally {
      await lab.live.query('alter role chronawflow reset all');
    }
  });
});

describe('9: a key whose owner differs between target and now', () => {
  const notes = `create table notes (id int primary key, tenant_id text references tenants on delete set null, body text);
    insert into notes values (1, 'a', 'mine'), (2, 'b', 'theirs'), (3, null, 'for all');`;

  test('9: a row that went to another tenant is a conflict, never an insert; skipped, it stays where it is', async () => {
    const lab = await world(notes);
    const target = await lab.captureTarget();
    await lab.live.query(`update notes set tenant_id = 'b', body = 'sold' where id = 1`);
    const before = await all(lab, 'notes');
    const blocked = await lab.prepare('a', target);
    expect(blocked.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.notes', kind: 'owner-changed', rows: 1, decision: 'block' }],
    });
    await expect(blocked.merge()).rejects.toMatchObject({ code: 'RESTORE_CLOSED' });
    await blocked.end();
    const { merge } = await lab.restore('a', target, {
      decisions: [{ table: 'public.notes', kind: 'owner-changed', decision: 'skip' }],
    });
    expect(merge).toMatchObject({ kind: 'merged' });
    expect(await all(lab, 'notes')).toEqual(before);
  });

  test.each([
    { story: 'another tenant', id: 2 },
    { story: 'nobody', id: 3 },
  ])('9: a row that belonged to $story at the target is a conflict, never a delete', async ({ id }) => {
    const lab = await world(notes);
    const target = await lab.captureTarget();
    await lab.live.query(`update notes set tenant_id = 'a' where id = $1`, [id]);
    const before = await all(lab, 'notes');
    const blocked = await lab.prepare('a', target);
    expect(blocked.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.notes', kind: 'owner-changed', rows: 1, decision: 'block' }],
    });
    await blocked.end();
    await lab.restore('a', target, {
      decisions: [{ table: 'public.notes', kind: 'owner-changed', decision: 'skip' }],
    });
    expect(await all(lab, 'notes')).toEqual(before);
  });

  test('9: a row orphaned by SET NULL gets its owner back; other rows without owner are not touched', async () => {
    const lab =
      await world(`${notes} create table parts (id int primary key, note_id int references notes on delete set null, body text);
      insert into parts values (10, 1, 'of mine'), (20, 2, 'of theirs'), (30, null, 'loose');`);
    const target = await lab.captureTarget();
    const atTarget = [await all(lab, 'notes'), await all(lab, 'parts')];
    await lab.live.query(`delete from tenants where id = 'a'`);
    await lab.live.query(`update notes set body = 'changed for all' where id = 3`);
    await lab.live.query(`insert into notes values (4, null, 'new for all')`);
    await lab.live.query(`delete from notes where id = 1`);
    const { preview } = await lab.restore('a', target, { tenantDeleted: true });
    expect(
      preview.tables.map(({ table, insert, update, delete: gone }) => [table, insert, update, gone]),
    ).toEqual([
      ['public.notes', 1, 0, 0],
      ['public.tenants', 1, 0, 0],
      ['public.parts', 0, 1, 0],
    ]);
    const [atNotes = [], atParts = []] = atTarget;
    expect(await all(lab, 'parts')).toEqual(atParts);
    expect(await all(lab, 'notes')).toEqual(
      [
        ...atNotes.filter((row) => !row.startsWith('(3,')),
        '(3,,"changed for all")',
        '(4,,"new for all")',
      ].sort(),
    );
  });

  test('9: a child that moved under another tenant’s parent is a conflict', async () => {
    const lab =
      await world(`create table orders (id int primary key, tenant_id text not null references tenants);
      create table lines (id int primary key, order_id int not null references orders, item text);
      insert into orders values (1, 'a'), (2, 'b'); insert into lines values (1, 1, 'x'), (2, 2, 'y');`);
    const target = await lab.captureTarget();
    await lab.live.query('update lines set order_id = 2 where id = 1');
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.lines', kind: 'owner-changed', rows: 1 },
    ]);
    await prepared.end();
  });

  test('9: a lost child of a parent that went to another tenant is not put under it', async () => {
    const lab =
      await world(`create table orders (id int primary key, tenant_id text not null references tenants);
      create table lines (id int primary key, order_id int not null references orders, item text);
      insert into orders values (1, 'a'), (2, 'b'); insert into lines values (1, 1, 'x'), (2, 2, 'y');`);
    const target = await lab.captureTarget();
    await lab.live.query(`update orders set tenant_id = 'b' where id = 1; delete from lines where id = 1`);
    const before = [await all(lab, 'orders'), await all(lab, 'lines')];
    const skipOrders = { table: 'public.orders', kind: 'owner-changed', decision: 'skip' } as const;
    const prepared = await lab.prepare('a', target, { decisions: [skipOrders] });
    expect(prepared.preview.conflicts).toContainEqual(
      expect.objectContaining({ table: 'public.lines', decision: 'block', rows: 1 }),
    );
    await prepared.end();
    await lab.restore('a', target, {
      decisions: [skipOrders, { table: 'public.lines', kind: 'parent-missing', decision: 'skip' }],
    });
    expect([await all(lab, 'orders'), await all(lab, 'lines')]).toEqual(before);
  });
});

describe('10: every conflict has a decision', () => {
  test('10: a unique value that another tenant took since blocks; skipped, both keep what they have', async () => {
    const lab =
      await world(`create table users (id int primary key, tenant_id text not null, email text not null, note text);
      create unique index on users (lower(email)) where note is distinct from 'archived';
      insert into users values (1, 'a', 'One@x', null), (2, 'a', 'two@x', null), (3, 'b', 'three@x', null);`);
    const target = await lab.captureTarget();
    await lab.live.query(`update users set email = 'free@x' where id = 1; update users set email = 'ONE@x' where id = 3;
      delete from users where id = 2`);
    const before = await all(lab, 'users');
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.users', kind: 'unique-taken', rows: 1, decision: 'block' },
    ]);
    await prepared.end();
    await lab.restore('a', target, {
      decisions: [{ table: 'public.users', kind: 'unique-taken', decision: 'skip' }],
    });
    expect(await all(lab, 'users')).toEqual([...before, '(2,a,two@x,)'].sort());
  });

  test('10: an exclusion constraint that another tenant’s row occupies is named', async () => {
    const lab =
      await world(`create table bookings (id int primary key, tenant_id text not null, during int4range,
        exclude using gist (during with &&) where (id > 0));
      insert into bookings values (1, 'a', '[1,5)'), (2, 'b', '[10,20)');`);
    const target = await lab.captureTarget();
    await lab.live.query(
      `delete from bookings where id = 1; update bookings set during = '[4,20)' where id = 2`,
    );
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.bookings', kind: 'unique-taken', rows: 1 },
    ]);
    await prepared.end();
  });

  test('10: a keep table that references a row about to go blocks; skipped, the row is retained', async () => {
    const lab = await world(
      `create table invoices (id int primary key, tenant_id text not null);
      create table audit (id int primary key, invoice_id int references invoices);
      insert into invoices values (1, 'a'), (9, 'b');`,
      { overrides: { 'public.audit': { mode: 'keep' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`insert into invoices values (2, 'a'), (3, 'a'); insert into audit values (1, 2)`);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.invoices', kind: 'referenced', rows: 1, decision: 'block' },
    ]);
    await prepared.end();
    const { merge } = await lab.restore('a', target, {
      decisions: [{ table: 'public.invoices', kind: 'referenced', decision: 'skip' }],
    });
    expect(merge).toMatchObject({ kind: 'merged' });
    expect(await all(lab, 'invoices')).toEqual(['(1,a)', '(2,a)', '(9,b)']);
  });

  test.each([
    { orders: 'a_orders', customers: 'z_customers' },
    { orders: 'z_orders', customers: 'a_customers' },
  ])('10: what a retained row of $orders needs is named too', async ({ orders, customers }) => {
    const lab = await world(
      `create table ${customers} (id int primary key, tenant_id text not null);
      create table ${orders} (id int primary key, tenant_id text not null, customer_id int references ${customers});
      create table audit (id int primary key, order_id int references ${orders});`,
      { overrides: { 'public.audit': { mode: 'keep' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(
      `insert into ${customers} values (1, 'a'); insert into ${orders} values (1, 'a', 1); insert into audit values (1, 1)`,
    );
    const retain = { table: `public.${orders}`, kind: 'referenced', decision: 'skip' } as const;
    const prepared = await lab.prepare('a', target, { decisions: [retain] });
    expect(prepared.preview.conflicts).toContainEqual(
      expect.objectContaining({
        table: `public.${customers}`,
        kind: 'referenced',
        rows: 1,
        decision: 'block',
      }),
    );
    await prepared.end();
    const { merge } = await lab.restore('a', target, {
      decisions: [retain, { table: `public.${customers}`, kind: 'referenced', decision: 'skip' }],
    });
    expect(merge).toMatchObject({ kind: 'merged', rows: expect.arrayContaining([]) });
    expect(await all(lab, customers)).toHaveLength(1);
  });

  test('10: a shared parent that is gone is named; skipped, the row stays away', async () => {
    const lab = await world(
      `create table currencies (code text primary key); insert into currencies values ('EUR'), ('DEM');
      create table prices (id int primary key, tenant_id text not null, code text references currencies);
      insert into prices values (1, 'a', 'DEM'), (2, 'a', 'EUR');`,
      { overrides: { 'public.currencies': { mode: 'shared' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`delete from prices; delete from currencies where code = 'DEM'`);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toMatchObject([
      { table: 'public.prices', kind: 'parent-missing', rows: 1 },
    ]);
    await prepared.end();
    await lab.restore('a', target, {
      decisions: [{ table: 'public.prices', kind: 'parent-missing', decision: 'skip' }],
    });
    expect(await all(lab, 'prices')).toEqual(['(2,a,EUR)']);
  });

  test('10: children without a key that go together with their parent are no conflict', async () => {
    const lab =
      await world(`create table log (tenant_id text not null references tenants, order_id int, note text);
      create table orders (id int primary key, tenant_id text not null references tenants);
      alter table log add foreign key (order_id) references orders;`);
    const target = await lab.captureTarget();
    await lab.live.query(`insert into orders values (1, 'a'), (2, 'b');
      insert into log values ('a', 1, 'x'), ('a', 1, 'x'), ('b', 2, 'y')`);
    const { preview } = await lab.restore('a', target);
    expect(preview).toMatchObject({ conflicts: [], totals: { insert: 0, update: 0, delete: 3 } });
    expect([await all(lab, 'orders'), await all(lab, 'log')]).toEqual([['(2,b)'], ['(b,2,y)']]);
  });

  test('10: a table without key: its unique values, and rows that reference them', async () => {
    const lab = await world(`create table rates (tenant_id text, code text unique);
      create table uses (id int primary key, tenant_id text not null, code text references rates (code));
      insert into rates values ('a', 'x'), ('a', 'y'), ('b', 'z'); insert into uses values (1, 'a', 'y');`);
    const target = await lab.captureTarget();
    const atTarget = [await all(lab, 'rates'), await all(lab, 'uses')];
    await lab.live.query(`delete from uses; delete from rates where tenant_id = 'a'; insert into rates values ('b', 'x'), ('a', 'new');
      insert into uses values (2, 'b', 'new')`);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.conflicts).toHaveLength(2);
    expect(prepared.preview.conflicts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ table: 'public.rates', kind: 'unique-taken', rows: 1 }),
        expect.objectContaining({ table: 'public.rates', kind: 'referenced', rows: 1 }),
      ]),
    );
    await prepared.end();
    await lab.live.query(`delete from rates where code = 'x'; delete from uses where id = 2`);
    await lab.restore('a', target);
    expect([await all(lab, 'rates'), await all(lab, 'uses')]).toEqual(atTarget);
  });

  test('10: a referenced value outside the key that would change is named before the merge', async () => {
    const lab =
      await world(`create table products (id int primary key, tenant_id text not null, code text unique);
      create table uses (id int primary key, tenant_id text not null, code text references products (code));
      insert into products values (1, 'a', 'old');`);
    const target = await lab.captureTarget();
    await lab.live.query(
      `update products set code = 'new' where id = 1; insert into uses values (1, 'b', 'new')`,
    );
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.products', kind: 'referenced', rows: 1 }],
    });
    await prepared.end();
  });
});

describe('11: the schema is part of what is approved', () => {
  const invoices = `create type status as enum ('draft', 'sent');
    create domain amount as numeric;
    create table invoices (id int primary key, tenant_id text not null, status status, total amount, note text);
    insert into invoices values (1, 'a', 'draft', -1, null), (2, 'a', 'sent', 5, 'x'), (3, 'b', 'sent', 7, 'y');`;

  test.each([
    'alter table invoices add column extra text',
    'alter table invoices alter column note type varchar(40)',
    'create unique index on invoices (note)',
    'alter table invoices add check (id > 0)',
    'alter table invoices rename column note to remark',
    'alter table invoices add foreign key (tenant_id) references tenants',
    `alter type status add value 'paid'`,
    'alter domain amount add check (value > -100)',
    'create table late (id int primary key, tenant_id text not null)',
    'create trigger t after update on invoices for each row execute function suppress_redundant_updates_trigger()',
  ])('11: between preview and merge, "%s" stops it', async (ddl) => {
    const lab = await world(invoices);
    const target = await lab.captureTarget();
    await lab.live.query('update invoices set id = id + 10 where id = 1');
    const prepared = await lab.prepare('a', target);
    await lab.live.query(ddl);
    const before = await all(lab, 'invoices');
    await expect(prepared.merge()).rejects.toMatchObject({ code: 'SCHEMA_CHANGED' });
    await prepared.end();
    expect(await all(lab, 'invoices')).toEqual(before);
  });

  test('11: DDL that commits while the merge waits for its lock stops it as well', async () => {
    const lab = await world(
      `create table parents (id int primary key);
      create table children (id int primary key, tenant_id text not null, parent_id int);
      insert into children values (1, 'a', 77), (2, 'b', null);`,
      {
        overrides: { 'public.parents': { mode: 'shared' } },
      },
    );
    const target = await lab.captureTarget();
    await lab.live.query('delete from children where id = 1');
    const prepared = await lab.prepare('a', target);
    const ddl = await lab.live.connect();
    await ddl.query('begin');
    await ddl.query('alter table children add foreign key (parent_id) references parents');
    const merging = prepared.merge();
    const settled = merging.then(
      () => 'merged',
      (error: unknown) => error,
    );
    await waitForWaiter(lab);
    await ddl.query('commit');
    ddl.release();
    expect(await settled).toMatchObject({ code: 'SCHEMA_CHANGED' });
    await prepared.end();
    expect(await all(lab, 'children')).toEqual(['(2,b,)']);
  });

  test('11: an enum value that is gone since the target is named in the preview', async () => {
    const lab = await world(invoices);
    const target = await lab.captureTarget();
    await lab.live.query(`alter type status rename value 'draft' to 'concept'`);
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview).toMatchObject({
      blocked: true,
      conflicts: [{ table: 'public.invoices', kind: 'schema-changed' }],
    });
    await prepared.end();
  });

  test.each([
    { since: 'a CHECK', ddl: 'alter table invoices add check (total >= 0)' },
    { since: 'NOT NULL', ddl: 'alter table invoices alter column note set not null' },
    { since: 'a domain’s CHECK', ddl: 'alter domain amount add check (value >= 0)' },
    { since: 'a domain’s NOT NULL', ddl: 'alter domain amount set not null', lost: 'total = null' },
  ])(
    '11: $since that refuses an old row is named in the preview; skipped, the row stays away',
    async ({ ddl, lost }) => {
      const lab = await world(invoices);
      if (lost !== undefined) await lab.live.query(`update invoices set ${lost} where id = 1`);
      const target = await lab.captureTarget();
      await lab.live.query(`delete from invoices where tenant_id = 'a'`);
      await lab.live.query(ddl);
      const prepared = await lab.prepare('a', target);
      expect(prepared.preview.conflicts).toMatchObject([
        { table: 'public.invoices', kind: 'constraint-violated', rows: 1, decision: 'block' },
      ]);
      await prepared.end();
      const { merge } = await lab.restore('a', target, {
        decisions: [{ table: 'public.invoices', kind: 'constraint-violated', decision: 'skip' }],
      });
      expect(merge).toMatchObject({ kind: 'merged' });
      expect(await all(lab, 'invoices')).toEqual(['(2,a,sent,5,x)', '(3,b,sent,7,y)']);
    },
  );
});

describe('12: counters, views and unlogged tables', () => {
  test('12: a forward column keeps the greater value, the rest of its row comes back', async () => {
    const lab = await world(
      `create table counters (tenant_id text primary key, next_number bigint, label text);
      insert into counters values ('a', 10, 'then'), ('b', 5, 'b');`,
      { overrides: { 'public.counters': { forward: 'next_number' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`update counters set next_number = 25, label = 'now' where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,25,then)', '(b,5,b)']);
    const { preview } = await lab.restore('a', target);
    expect(preview.totals).toMatchObject({ insert: 0, update: 0, delete: 0 });
    await lab.live.query(`update counters set next_number = 3 where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,10,then)', '(b,5,b)']);
    await lab.live.query(`delete from counters where tenant_id = 'a'`);
    await lab.restore('a', target);
    expect(await all(lab, 'counters')).toEqual(['(a,10,then)', '(b,5,b)']);
  });

  test('12, 13: materialized views, publications and slots are named in the preview', async () => {
    const lab = await world(`create table t (id int primary key, tenant_id text not null);
      create materialized view totals as select count(*) from t;
      create publication everything for all tables;`);
    const target = await lab.captureTarget();
    await lab.live.query(`select pg_create_logical_replication_slot('reader', 'test_decoding')`);
    try {
      const { preview } = await lab.restore('a', target);
      const notices = preview.notices.join('\n');
      expect(notices).toContain('public.totals');
      expect(notices).toContain('everything');
      expect(notices).toContain('reader');
    } finally {
      await lab.live.query(`select pg_drop_replication_slot('reader')`);
    }
  });

  test('12: an unlogged table is an error that names it and the way out', async () => {
    const lab = await world(
      'create unlogged table scratchpad (id int primary key, tenant_id text not null);',
    );
    const target = await lab.captureTarget();
    await expect(lab.prepare('a', target)).rejects.toMatchObject({
      code: 'ATTRIBUTION_UNCLEAR',
      message: expect.stringContaining('public.scratchpad'),
    });
  });
});

describe('13: staging and replication', () => {
  test('13: with a publication for all tables, deletes without key and staging pass, and staging is not sent', async () => {
    const lab = await world(`create table t (id int primary key, tenant_id text not null);
      create publication everything for all tables;
      insert into t values (1, 'a'), (2, 'b');`);
    const target = await lab.captureTarget();
    await lab.live.query(`insert into t values (3, 'a')`);
    await lab.live.query(`select pg_create_logical_replication_slot('reader13', 'test_decoding')`);
    try {
      const { merge } = await lab.restore('a', target);
      expect(merge).toMatchObject({ kind: 'merged' });
      const { rows } = await lab.live.query<{ data: string }>(
        `select data from pg_logical_slot_get_changes('reader13', null, null)`,
      );
      const sent = rows.map((row) => row.data);
      expect(sent).toContainEqual(expect.stringContaining('table public.t: DELETE'));
      expect(sent.filter((data) => /_(stage|preview)_/.test(data))).toEqual([]);
    } finally {
      await lab.live.query(`select pg_drop_replication_slot('reader13')`);
    }
  });
});

/** Until some session of the role waits for a lock. */
async function waitForWaiter(lab: SliceLab): Promise<void> {
  await until(
    async () => {
      const { rows } = await lab.live.query<{ waiting: boolean }>(
        `select exists (select from pg_stat_activity
           where datname = current_database() and usename = 'chronawflow' and wait_event_type = 'Lock') as waiting`,
      );
      return rows[0]?.waiting ?? false;
    },
    { what: 'the merge to wait for a lock' },
  );
}

test('the session that leads a comparison may wait longer than the server lets transactions stand idle', async () => {
  const lab = await world(
    `create table notes (id int primary key, tenant_id text not null); insert into notes values (1, 'a'), (2, 'a'), (3, 'b');`,
  );
  const target = await lab.captureTarget();
  await lab.live.query('delete from notes where id = 1');
  const prepared = await lab.prepare('a', target);
  const blocker = await lab.live.connect();
  await lab.live.query(`alter role chronawflow set idle_in_transaction_session_timeout = '300ms'`);
  try {
    await blocker.query('begin');
    await blocker.query(`lock table chronawflow."${prepared.restoreId}_stage_1" in access exclusive mode`);
    const [again] = await Promise.all([
      prepared.previewAgain(),
      until(async () => {
        const { rowCount } = await lab.live.query(
          `select from pg_stat_activity where usename = 'chronawflow' and state = 'idle in transaction'
             and datname = current_database() and clock_timestamp() - state_change > interval '900 milliseconds'`,
        );
        return (rowCount ?? 0) > 0;
      }).finally(() => blocker.query('rollback')),
    ]);
    expect(again.diffHash).toBe(prepared.preview.diffHash);
  } finally {
    blocker.release();
    await lab.live.query('alter role chronawflow reset idle_in_transaction_session_timeout');
    await prepared.end();
  }
});
