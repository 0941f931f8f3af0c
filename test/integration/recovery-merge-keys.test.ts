import { settled, waitForWaiter } from '../support/merge-control';
import { imagesOf, type SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

const { twoTenants: world, all } = useSliceLabs();

describe('16: foreign keys are proved', () => {
  const shop = `create table currencies (code text primary key); insert into currencies values ('EUR'), ('DEM');
    create table prices (id int primary key, tenant_id text not null, code text references currencies);
    create table wishes (id int primary key, tenant_id text not null, price_id int references prices on delete cascade);
    insert into prices values (1, 'a', 'DEM'), (5, 'b', 'EUR');`;
  const shared = { overrides: { 'public.currencies': { mode: 'shared' as const } } };
  const orphans = async (lab: SliceLab) => {
    const { rows } = await lab.live.query<{ count: string }>(
      `select (select count(*) from prices where code not in (select code from currencies))
         + (select count(*) from wishes where price_id not in (select id from prices)) as count`,
    );
    return Number(rows[0]?.count);
  };

  /** A merge that finds `statement` of somebody else's open transaction in its way, which then ends. */
  const mergeBeside = async (loss: string, statement: string, end: string) => {
    const lab = await world(shop, shared);
    const target = await lab.captureTarget();
    await lab.live.query(loss);
    const prepared = await lab.prepare('a', target);
    const other = await lab.live.connect();
    await other.query('begin');
    await other.query(statement);
    const merging = settled(prepared.merge());
    await waitForWaiter(lab);
    await other.query(end);
    other.release();
    const outcome = await merging;
    await prepared.end();
    if (end === 'commit') expect(outcome).toMatchObject({ error: { code: 'PROOF_FAILED' } });
    else expect(outcome).toMatchObject({ value: { kind: 'merged' } });
    expect(await orphans(lab)).toBe(0);
    return lab;
  };

  test.each(['commit', 'rollback'])(
    '16: another session’s open delete of a parent that a written row needs (%s)',
    async (end) => {
      await mergeBeside('delete from prices where id = 1', `delete from currencies where code = 'DEM'`, end);
    },
  );

  test.each(['commit', 'rollback'])(
    '16: another tenant’s open insert of a child of a row that goes (%s)',
    async (end) => {
      const lab = await mergeBeside(
        `insert into prices values (2, 'a', 'EUR')`,
        `insert into wishes values (1, 'b', 2)`,
        end,
      );
      expect(await all(lab, 'wishes')).toHaveLength(end === 'commit' ? 1 : 0);
    },
  );

  test('16: a child inserted between preview and merge stops the merge', async () => {
    const lab = await world(shop, shared);
    const target = await lab.captureTarget();
    await lab.live.query(`insert into prices values (2, 'a', 'EUR')`);
    const prepared = await lab.prepare('a', target);
    await lab.live.query(`insert into wishes values (1, 'b', 2)`);
    await expect(prepared.merge()).rejects.toMatchObject({ code: 'PROOF_FAILED' });
    await prepared.end();
    expect(await orphans(lab)).toBe(0);
  });

  test('16: a foreign key that only one partition has is proved too', async () => {
    const lab = await world(
      `create table currencies (code text primary key); insert into currencies values ('EUR'), ('DEM');
      create table prices (id int, tenant_id text not null, year int, code text, primary key (id, year)) partition by list (year);
      create table prices_old partition of prices for values in (2025);
      alter table prices_old add foreign key (code) references currencies;
      insert into prices values (1, 'a', 2025, 'DEM'), (2, 'b', 2025, 'EUR');`,
      shared,
    );
    const target = await lab.captureTarget();
    await lab.live.query(`delete from prices where id = 1; delete from currencies where code = 'DEM'`);
    const outcome = await settled(
      (async () => {
        const prepared = await lab.prepare('a', target);
        try {
          if (!prepared.preview.blocked) return await prepared.merge();
          throw new Error('blocked');
        } finally {
          await prepared.end();
        }
      })(),
    );
    expect(outcome).toMatchObject({ error: expect.any(Error) });
    expect(await all(lab, 'prices')).toEqual(['(2,b,2025,EUR)']);
  });

  test('16: other tenants’ uncommitted writes neither stop the merge nor get lost', async () => {
    const lab = await world(shop, shared);
    const target = await lab.captureTarget();
    const atTarget = await imagesOf(lab.live, `select * from prices where tenant_id = 'a'`);
    await lab.live.query(`update prices set code = 'EUR' where id = 1`);
    const prepared = await lab.prepare('a', target);
    const other = await lab.live.connect();
    await other.query('begin');
    await other.query(
      `insert into prices values (6, 'b', 'DEM'); update prices set code = 'DEM' where id = 5`,
    );
    expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
    await other.query('commit');
    other.release();
    await prepared.end();
    expect(await all(lab, 'prices')).toEqual([...atTarget, '(5,b,DEM)', '(6,b,DEM)']);
  });
});

describe('17: plans do not hang on stale statistics', () => {
  test.each([15_000, 60_000])(
    '17: a tenant of %i rows that lost everything comes back in bounded time',
    async (rows) => {
      const lab =
        await world(`create table orders (id bigint primary key, tenant_id text not null references tenants on delete cascade, code text not null unique, customer bigint);
      create table lines (id bigint primary key, order_id bigint not null references orders on delete cascade, rank bigint, unique (rank) deferrable);
      create index on lines (order_id);
      create table log (tenant_id text not null references tenants on delete cascade, what text);
      alter table orders set (autovacuum_enabled = off); alter table lines set (autovacuum_enabled = off); alter table log set (autovacuum_enabled = off);
      insert into orders select i, case when i <= ${rows} then 'a' else 'b' end, 'c' || i, i from generate_series(1, ${rows + 1000}) i;
      insert into lines select i, i, i from generate_series(1, ${rows + 1000}) i;
      insert into log select 'a', 'x' || i % 100 from generate_series(1, ${rows}) i;`);
      const target = await lab.captureTarget();
      const atTarget = await lab.live.query(
        'select md5(string_agg(o::text, $$,$$ order by id)) as md5 from orders o',
      );
      await lab.live.query(`delete from tenants where id = 'a'`);
      for (const table of ['orders', 'lines', 'log']) await lab.live.query(`vacuum (full, analyze) ${table}`);
      const started = performance.now();
      const { merge } = await lab.restore('a', target, { tenantDeleted: true });
      const seconds = (performance.now() - started) / 1000;
      expect(merge).toMatchObject({ kind: 'merged' });
      expect(
        await lab.live.query('select md5(string_agg(o::text, $$,$$ order by id)) as md5 from orders o'),
      ).toMatchObject({
        rows: atTarget.rows,
      });
      // In proportion to the rows: two tables compared row by row would take the square of that.
      expect(seconds).toBeLessThan(rows / 500);
    },
    300_000,
  );
});

describe('18: unique and excluded values that change hands', () => {
  test('18: swapped, rotated and moved unique values within the tenant come back', async () => {
    const lab =
      await world(`create table seats (id int primary key, tenant_id text not null, seat int not null, email text, active bool default true, span int4range, unique (tenant_id, seat),
        exclude using gist (span with &&));
      create unique index on seats (lower(email)) where active;
      create table nulls (id int primary key, tenant_id text, v int, unique nulls not distinct (tenant_id, v));
      create table identities (id int primary key, tenant_id text not null, n int generated always as identity unique, note text);
      insert into seats values (1, 'a', 1, 'A@x', true, '[1,5)'), (2, 'a', 2, 'b@x', true, '[5,9)'), (3, 'a', 3, 'C@x', true, '[9,12)'), (4, 'b', 1, 'd@x', true, '[20,30)');
      insert into nulls values (1, 'a', null), (2, 'a', 1), (3, 'b', null);
      insert into identities (id, tenant_id, note) values (1, 'a', 'x'), (2, 'a', 'y');`);
    const target = await lab.captureTarget();
    const atTarget = [await all(lab, 'seats'), await all(lab, 'nulls'), await all(lab, 'identities')];
    await lab.live.query(`
      update seats set seat = seat + 100, email = null, span = null where tenant_id = 'a';
      update seats set seat = 2, email = 'B@X', span = '[5,9)' where id = 1;
      update seats set seat = 3, email = 'c@x', span = '[9,12)' where id = 2;
      update seats set seat = 1, email = 'a@x', span = '[1,5)' where id = 3;
      update nulls set v = 7 where id = 1; update nulls set v = null where id = 2; update nulls set v = 1 where id = 1;
      delete from identities where id = 1; insert into identities (id, tenant_id, n, note) overriding system value values (1, 'a', 50, 'x');
      update identities set note = 'changed' where id = 2`);
    await lab.restore('a', target);
    expect([await all(lab, 'seats'), await all(lab, 'nulls'), await all(lab, 'identities')]).toEqual(
      atTarget,
    );
  });

  test('18: a row that is written anew keeps the value of a column added since', async () => {
    const lab =
      await world(`create table seats (id int primary key, tenant_id text not null, seat int unique);
      insert into seats values (1, 'a', 1), (2, 'a', 2);`);
    const target = await lab.captureTarget();
    await lab.live.query(`alter table seats add column colour text default 'grey';
      update seats set seat = null; update seats set seat = 3 - id, colour = 'red';
      insert into seats values (3, 'a', 3, 'blue'); delete from seats where id = 2`);
    const { preview } = await lab.restore('a', target);
    expect(preview.tables.find((table) => table.table === 'public.seats')).toMatchObject({
      addedColumns: ['colour'],
    });
    expect(await all(lab, 'seats')).toEqual(['(1,a,1,red)', '(2,a,2,grey)']);
  });
});
