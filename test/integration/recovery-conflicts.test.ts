import { useSliceLabs } from '../support/slice-labs';

const { twoTenants: world, all } = useSliceLabs();

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
