import { imagesOf } from '../support/slice-lab';
import { TENANTS, useSliceLabs } from '../support/slice-labs';

const { world, all } = useSliceLabs();

describe('attribution: never a guess', () => {
  test('one error lists every table that is unclear, with the overrides to write', async () => {
    const lab = await world(
      `${TENANTS}
      create table alone (id int primary key);
      create table t (id int primary key, tenant_id text not null references tenants);
      create table u (id int primary key, tenant_id text not null references tenants);
      create table two_ways (id int primary key, t_id int references t, u_id int references u);
      create table two_columns (id int primary key, tenant_id text, org_id text);`,
      {
        columns: ['tenant_id', 'org_id'],
      },
    );
    const target = await lab.captureTarget();
    const error: unknown = await lab.prepare('a', target).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ATTRIBUTION_UNCLEAR' });
    const text = JSON.stringify(error);
    for (const expected of [
      'public.alone',
      'mode: shared',
      'public.two_ways',
      'path: [t_id]',
      'path: [u_id]',
      'public.two_columns',
      'column: org_id',
    ])
      expect(text).toContain(expected);
  });

  test('legacy inheritance is refused, not counted twice', async () => {
    const lab = await world(`${TENANTS} create table base (id int primary key, tenant_id text not null);
      create table derived (extra text) inherits (base);`);
    const target = await lab.captureTarget();
    await expect(lab.prepare('a', target)).rejects.toMatchObject({ code: 'ATTRIBUTION_UNCLEAR' });
  });
});

describe('names and keys', () => {
  const evil = `o'; drop table "x"; --`;
  const literal = evil.replaceAll("'", "''");

  test('hostile and camelCase names, a tenant key with quotes and SQL in it', async () => {
    const lab = await world(
      `create schema "we""ird; drop"; create schema "camelCase";
      create table "camelCase"."Tenants" ("tenantKey" text primary key); insert into "camelCase"."Tenants" values ('${literal}'), ('b');
      create table "we""ird; drop"."ta""ble; --" ("k'ey" text primary key, "tenant""Id" text not null, "select" int, "col;umn" text);
      create table "camelCase"."Items" ("Id" text primary key, "table" text not null references "we""ird; drop"."ta""ble; --");
      insert into "we""ird; drop"."ta""ble; --" values ('1', '${literal}', 1, 'x'), ('2', 'b', 2, 'y');
      insert into "camelCase"."Items" values ('i1', '1'), ('i2', '2');`,
      {
        table: 'camelCase.Tenants',
        key: 'tenantKey',
        columns: ['tenant"Id'],
        schemas: ['we"ird; drop', 'camelCase'],
      },
    );
    const target = await lab.captureTarget();
    const read = async () => [
      await all(lab, '"we""ird; drop"."ta""ble; --"'),
      await all(lab, '"camelCase"."Items"'),
      await all(lab, '"camelCase"."Tenants"'),
    ];
    const atTarget = await read();
    await lab.live.query(`delete from "camelCase"."Items" where "Id" = 'i1';
      update "we""ird; drop"."ta""ble; --" set "select" = 9, "col;umn" = null where "k'ey" = '1';
      insert into "we""ird; drop"."ta""ble; --" values ('3', '${literal}', 3, 'z')`);
    const { preview } = await lab.restore(evil, target);
    expect(preview.totals).toMatchObject({ insert: 1, update: 1, delete: 1 });
    expect(await read()).toEqual(atTarget);
  });

  test('columns and keys that are named like the engine’s own', async () => {
    const names = [
      'op',
      'before',
      'after',
      'skip',
      'rewrite',
      'live_row',
      'live_part',
      'staged_row',
      'image',
      'nth',
      'e0',
      'c',
      't',
      's',
      'l',
      'n',
      'holds',
      'row_id',
      'key',
    ];
    const tables = names.map(
      (
        name,
        i,
      ) => `create table t${i} (tenant_id text not null, "${name}" int, v int, primary key (tenant_id, "${name}"), unique (v, "${name}"));
        create table kids${i} (id int primary key, tenant_id text not null, "${name}" int, foreign key (tenant_id, "${name}") references t${i});
        insert into t${i} values ('a', 1, 1), ('a', 2, 2), ('b', 1, 100); insert into kids${i} values (1, 'a', 1);`,
    );
    const lab = await world(`${TENANTS} ${tables.join('\n')}
      create table keyless (tenant_id text, ${names.map((name) => `"${name}" int`).join(', ')}); insert into keyless (tenant_id, op) values ('a', 1), ('a', 1);`);
    const target = await lab.captureTarget();
    const read = () => Promise.all([...names.map((_, i) => all(lab, `t${i}`)), all(lab, 'keyless')]);
    const atTarget = await read();
    for (const [i, name] of names.entries())
      await lab.live.query(
        `delete from t${i} where "${name}" = 2; update t${i} set v = 7 where "${name}" = 1 and tenant_id = 'a'; insert into t${i} values ('a', 3, 3)`,
      );
    await lab.live.query('update keyless set op = 2');
    await lab.restore('a', target);
    expect(await read()).toEqual(atTarget);
  });

  test.each([
    { type: 'bigint', ids: ['9007199254740993', '2'] },
    {
      type: 'uuid',
      ids: [`'00000000-0000-4000-8000-000000000001'`, `'00000000-0000-4000-8000-000000000002'`],
    },
    { type: 'numeric', ids: ['1.50', '2'] },
    { type: 'timestamptz', ids: [`'2026-01-01 00:00:00.000001Z'`, `'infinity'`] },
    { type: 'bytea', ids: [`'\\x00ff'`, `'\\x'`] },
    { type: 'text', ids: [`E'tab\\t\\\\N\\nline'`, `''`] },
    { type: 'int4range', ids: [`'[1,2)'`, `'empty'`] },
    { type: 'mood', ids: [`'ok'`, `'bad'`] },
    { type: 'email', ids: [`'x@y'`, `'z@y'`] },
  ])('keys of type $type', async ({ type, ids: [one, two] }) => {
    const lab =
      await world(`${TENANTS} create type mood as enum ('ok', 'bad'); create domain email as text check (value like '%@%');
      create table t (id ${type}, n int, tenant_id text not null, parent_id ${type}, parent_n int, v text, primary key (id, n), foreign key (parent_id, parent_n) references t);
      insert into t values (${one}, 1, 'a', ${two}, 1, 'x'), (${two}, 1, 'a', ${one}, 1, 'y'), (${one}, 2, 'b', null, null, 'z');`);
    const target = await lab.captureTarget();
    const atTarget = await all(lab, 't');
    await lab.live.query(`update t set parent_id = null, parent_n = null, v = 'changed' where id = ${one} and n = 1; delete from t where id = ${two} and n = 1;
      insert into t values (${two}, 5, 'a', ${one}, 1, 'new')`);
    const { preview } = await lab.restore('a', target);
    expect(preview.totals).toMatchObject({ insert: 1, update: 1, delete: 1 });
    expect(await all(lab, 't')).toEqual(atTarget);
  });
});

describe('shapes of tables', () => {
  test('self-references, cycles, composite keys, generated and identity columns, paths over two tables', async () => {
    const lab =
      await world(`create table tenants (id uuid primary key, owner int); create domain positive as int check (value > 0);
      create table users (id int generated always as identity primary key, tenant_id uuid not null references tenants on delete cascade, boss int references users, name text, upper_name text generated always as (upper(name)) stored);
      alter table tenants add foreign key (owner) references users on delete set null deferrable initially deferred;
      create table posts (user_id int not null references users on delete cascade, n positive, tags text[], primary key (user_id, n));
      create table comments (id bigint generated by default as identity primary key, user_id int, n int, body text, foreign key (user_id, n) references posts on delete cascade);
      insert into tenants values ('00000000-0000-4000-8000-00000000000a'), ('00000000-0000-4000-8000-00000000000b');
      insert into users (tenant_id, boss, name) values ('00000000-0000-4000-8000-00000000000a', null, 'Ann'), ('00000000-0000-4000-8000-00000000000a', 1, 'Bob'), ('00000000-0000-4000-8000-00000000000b', null, 'Eve');
      update users set boss = 2 where id = 1; update tenants set owner = 2 where id::text like '%a'; update tenants set owner = 3 where id::text like '%b';
      insert into posts values (1, 1, '{a,NULL,"b c"}'), (2, 1, null), (3, 1, '{}'); insert into comments (user_id, n, body) values (1, 1, 'x'), (2, 1, 'y'), (3, 1, 'z'), (null, null, 'nobody');`);
    const target = await lab.captureTarget();
    const read = () => Promise.all(['tenants', 'users', 'posts', 'comments'].map((table) => all(lab, table)));
    const atTarget = await read();
    await lab.live.query(`delete from tenants where id::text like '%a'`);
    await lab.live.query(`update comments set body = 'still nobody' where body = 'nobody'`);
    await lab.restore('00000000-0000-4000-8000-00000000000A', target, { tenantDeleted: true });
    const [tenants, users, posts, comments = []] = atTarget;
    expect(await read()).toEqual([
      tenants,
      users,
      posts,
      comments.map((row) => row.replace('(4,,,nobody)', '(4,,,"still nobody")')),
    ]);
  });

  test('rows that moved between partitions, sub-partitions and the default partition', async () => {
    const lab =
      await world(`${TENANTS} create table log (id int, tenant_id text not null, at date, v text, primary key (id, at, v)) partition by range (at);
      create table log_25 partition of log for values from ('2025-01-01') to ('2026-01-01');
      create table log_26 partition of log for values from ('2026-01-01') to ('2027-01-01') partition by list (v);
      create table log_26_x partition of log_26 for values in ('x');
      create table log_26_rest partition of log_26 default;
      create table log_other partition of log default;
      create table keyless (tenant_id text, at date, v text) partition by range (at);
      create table keyless_25 partition of keyless for values from ('2025-01-01') to ('2026-01-01');
      create table keyless_other partition of keyless default;
      insert into keyless values ('a', '2025-02-02', 'x'), ('a', '2025-02-02', 'x'), ('a', '2026-02-02', 'x'), ('b', '2025-02-02', 'x');`);
    await lab.live.query(
      `insert into log values (1, 'a', '2025-05-05', 'x'), (2, 'a', '2026-05-05', 'x'), (3, 'a', '2026-05-06', 'y'), (4, 'b', '2026-05-05', 'x'), (5, 'a', '2030-01-01', 'z')`,
    );
    const target = await lab.captureTarget();
    const where = (table: string) => imagesOf(lab.live, `select tableoid::regclass, * from ${table}`);
    const atTarget = [await where('log'), await where('keyless')];
    await lab.live.query(`update log set v = 'moved' where id = 2; update log set v = 'x' where id = 3; delete from log where id = 5;
      update log set at = '2026-07-07' where id = 1;
      update keyless set at = '2026-03-03' where tenant_id = 'a' and at = '2025-02-02'; insert into keyless values ('a', '2025-01-01', 'new')`);
    await lab.restore('a', target);
    expect([await where('log'), await where('keyless')]).toEqual(atTarget);
  });

  test('tables without key: duplicates come back in their number', async () => {
    const lab = await world(`${TENANTS} create table log (tenant_id text, v json, n numeric);
      insert into log select 'a', '{"x":1}', 1.0 from generate_series(1, 5); insert into log values ('a', null, null), ('b', '{"x":1}', 1.0);`);
    const target = await lab.captureTarget();
    const atTarget = await all(lab, 'log');
    await lab.live.query(`delete from log where ctid in (select ctid from log where tenant_id = 'a' and n = 1 limit 3);
      update log set n = 1.00 where ctid in (select ctid from log where tenant_id = 'a' and n = 1 limit 1); insert into log values ('a', null, null)`);
    const { preview } = await lab.restore('a', target);
    expect(preview.tables.find((table) => table.table === 'public.log')).toMatchObject({
      insert: 4,
      update: 0,
      delete: 2,
    });
    expect(await all(lab, 'log')).toEqual(atTarget);
  });

  test('tables without key whose rows moved on disk between preview and merge', async () => {
    const lab = await world(
      `${TENANTS} create table log (tenant_id text, v int); insert into log values ('b', 0), ('a', 1), ('a', 2);`,
    );
    const target = await lab.captureTarget();
    const atTarget = await all(lab, 'log');
    await lab.live.query(`delete from log where v = 1; insert into log values ('a', 3)`);
    const prepared = await lab.prepare('a', target);
    await lab.live.query('vacuum full log');
    const merge = await prepared.merge();
    await prepared.end();
    expect(merge).toMatchObject({ kind: 'merged' });
    expect(await all(lab, 'log')).toEqual(atTarget);
  });

  test('3: a row is frozen however its owner, or the key on its path, is spelt', async () => {
    const lab = await world(
      `create extension citext;
      create table tenants (id citext primary key); insert into tenants values ('Acme'), ('Other');
      create table notes (code citext primary key, tenant_id citext references tenants);
      create table lines (id int primary key, note citext references notes on update cascade);
      create table marks (id int primary key, line_id int references lines);
      insert into notes values ('N1', 'ACME'), ('n2', 'acme'), ('n3', 'OTHER'), ('n4', null);
      insert into lines values (1, 'n1'), (2, 'N2'), (3, 'N3'), (4, null), (5, 'N4');
      insert into marks values (1, 1), (2, 2), (3, 3), (4, 4), (5, null);`,
    );
    const target = await lab.captureTarget();
    await lab.live.query('delete from marks where id = 2');
    const prepared = await lab.prepare('acme', target);
    const frozen = async (sql: string) => {
      const { code } = await lab.live.query(sql).then(
        () => ({ code: 'written' }),
        (error: { code: string }) => error,
      );
      return code;
    };
    expect(await frozen(`delete from marks where id = 1`)).toBe('TF001');
    expect(await frozen(`update lines set note = 'N2' where id = 2`)).toBe('TF001');
    expect(await frozen(`insert into lines values (6, 'N1')`)).toBe('TF001');
    expect(await frozen(`update notes set code = 'N1' where code = 'n1'`)).toBe('TF001');
    for (const other of [
      `update lines set note = 'n3' where id = 3`,
      `update lines set note = null where id = 4`,
      `update marks set line_id = null where id = 3`,
      `insert into marks values (7, 5)`,
    ])
      expect([other, await frozen(other)]).toEqual([other, 'written']);
    expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
    await prepared.end();
    expect(await all(lab, 'marks')).toContain('(2,2)');
  });

  test('one schema per tenant', async () => {
    const tables = (
      schema: string,
    ) => `create schema "${schema}"; create table "${schema}".orders (id int primary key, v text);
      create table "${schema}".lines (id int primary key, order_id int not null references "${schema}".orders);
      create table "${schema}".outbox (id int primary key); create table "${schema}".log (v text);
      insert into "${schema}".orders values (1, 'x'), (2, 'y'); insert into "${schema}".lines values (1, 1); insert into "${schema}".log values ('p'), ('p'); insert into "${schema}".outbox values (1);`;
    const lab = await world(`${TENANTS} ${tables('t_a')} ${tables('t_b')}`, {
      model: 'schema',
      schemaName: 't_{tenant}',
      schemas: ['t_a', 't_b'],
      overrides: { '*.outbox': { mode: 'keep' } },
    });
    const target = await lab.captureTarget();
    const read = (schema: string) =>
      Promise.all(['orders', 'lines', 'log'].map((table) => all(lab, `${schema}.${table}`)));
    const atTarget = await read('t_a');
    for (const schema of ['t_a', 't_b'])
      await lab.live.query(
        `delete from ${schema}.lines; update ${schema}.orders set v = 'changed'; delete from ${schema}.log; insert into ${schema}.outbox values (2)`,
      );
    const other = await read('t_b');
    await lab.restore('a', target);
    expect(await read('t_a')).toEqual(atTarget);
    expect(await read('t_b')).toEqual(other);
    expect(await all(lab, 't_a.outbox')).toEqual(['(1)', '(2)']);
  });
});
