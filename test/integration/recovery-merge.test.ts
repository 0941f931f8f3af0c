import type { Pool, PoolClient } from 'pg';
import { mergeRestore } from '../../core/recovery/merge/merge-restore';
import { cancelRestore } from '../../core/recovery/record/close-restore';
import { imagesOf, type Prepared, type SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';
import { until } from '../support/until';

const { twoTenants: world, all } = useSliceLabs();

/** The merge of `prepared` as another caller would repeat it: with a context of its own. */
function mergeWith(lab: SliceLab, application: Pool, prepared: Prepared) {
  const request = {
    restoreId: prepared.restoreId,
    modes: { create: true, update: true, delete: true },
    decisions: [],
    allowEmpty: false,
  };
  return mergeRestore({ ...lab.context, application }, request, prepared.preview.diffHash, {});
}

/** A pool whose clients call `before` with the text of each statement, ahead of sending it. */
function watched(pool: Pool, before: (sql: string, client: PoolClient) => Promise<unknown>): Pool {
  return new Proxy(pool, {
    get: (target, property) => {
      if (property !== 'connect') return bound(target, property);
      return async () => {
        const client = await target.connect();
        return new Proxy(client, {
          get: (inner, name) => {
            if (name !== 'query') return bound(inner, name);
            return async (sql: string, values?: unknown[]) => {
              await before(sql, inner);
              return inner.query(sql, values);
            };
          },
        });
      };
    },
  });
}

function bound(target: object, property: string | symbol): unknown {
  const value: unknown = Reflect.get(target, property, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

async function waitForWaiter(lab: SliceLab): Promise<void> {
  await until(
    async () => {
      const { rows } = await lab.live.query<{ waiting: boolean }>(
        `select exists (select from pg_stat_activity where datname = current_database() and usename = 'chronawflow'
           and (wait_event_type = 'Lock' or state like 'idle in%' and query like '%l.virtualtransaction%')) as waiting`,
      );
      return rows[0]?.waiting ?? false;
    },
    { what: 'the merge to wait for a lock' },
  );
}

const settled = (merging: Promise<unknown>) =>
  merging.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

describe('14: one transaction', () => {
  const books = `create table invoices (id int generated always as identity primary key, tenant_id text not null references tenants, number int, unique (tenant_id, number));
    create table lines (invoice_id int references invoices, no int, item text, primary key (invoice_id, no));
    create table log (tenant_id text not null, what text);
    insert into invoices (tenant_id, number) values ('a', 1), ('a', 2), ('a', 3), ('b', 1);
    insert into lines values (1, 1, 'x'), (2, 1, 'y'), (4, 1, 'z'); insert into log values ('a', 'p'), ('a', 'p'), ('b', 'p');`;
  const mishap = `delete from lines where invoice_id = 1; update invoices set number = number + 10 where tenant_id = 'a';
    delete from invoices where id = 3; insert into invoices (tenant_id, number) values ('a', 99); delete from log where tenant_id = 'a';
    update lines set item = 'changed' where invoice_id = 2`;
  const tables = ['tenants', 'invoices', 'lines', 'log'];
  const everything = (lab: SliceLab) => Promise.all(tables.map((table) => all(lab, table)));

  test('14: the backend killed before any statement of the merge leaves nothing changed; the retry merges', async () => {
    const lab = await world(books);
    const target = await lab.captureTarget();
    const atTarget = await everything(lab);
    await lab.live.query(mishap);
    const before = await everything(lab);
    const prepared = await lab.prepare('a', target);
    let merged = false;
    let kills = 0;
    for (let kill = 1; !merged; kill += 1) {
      let statement = 0;
      const pool = watched(lab.app.application, async (_sql, client) => {
        statement += 1;
        if (statement === kill) await terminate(lab, client);
      });
      const outcome = await settled(mergeWith(lab, pool, prepared));
      if (statement < kill) {
        expect(outcome).toMatchObject({ value: { kind: 'merged' } });
        merged = true;
      } else {
        expect({ kill, outcome }).toMatchObject({ kill, outcome: { error: expect.any(Error) } });
        expect(await everything(lab)).toEqual(before);
        kills += 1;
      }
    }
    await prepared.end();
    expect(kills).toBeGreaterThan(30);
    expect(await everything(lab)).toEqual(atTarget);
  });

  test.each(['before', 'after'] as const)(
    '14: an answer to COMMIT that is lost %s the server committed is settled by the record',
    async (when) => {
      const lab = await world(books);
      const target = await lab.captureTarget();
      const atTarget = await everything(lab);
      await lab.live.query(mishap);
      const before = await everything(lab);
      const prepared = await lab.prepare('a', target);
      let commits = 0;
      const pool = watched(lab.app.application, async (sql, client) => {
        if (sql !== 'commit') return;
        commits += 1;
        // The first transaction prolongs the freeze, the second one is the merge.
        if (commits !== 2) return;
        if (when === 'after') await client.query('commit');
        await terminate(lab, client);
      });
      const lost = await settled(mergeWith(lab, pool, prepared));
      expect(lost).toMatchObject({ error: expect.any(Error) });
      expect(await everything(lab)).toEqual(when === 'after' ? atTarget : before);
      const first = await prepared.merge();
      const second = await prepared.merge();
      expect(first).toMatchObject({ kind: 'merged' });
      expect(second).toEqual(first);
      expect(await everything(lab)).toEqual(atTarget);
      expect(await cancelRestore(lab.context, prepared.restoreId)).toBe('merged');
      await prepared.end();
    },
  );

  test('14: two attempts at once write once and give the same result', async () => {
    const lab = await world(books);
    const target = await lab.captureTarget();
    const atTarget = await everything(lab);
    await lab.live.query(mishap);
    const prepared = await lab.prepare('a', target);
    const outcomes = await Promise.all([settled(prepared.merge()), settled(prepared.merge())]);
    const results = outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value] : []));
    expect(results.length).toBeGreaterThan(0);
    for (const result of results) expect(result).toEqual(results[0]);
    expect(await prepared.merge()).toEqual(results[0]);
    await prepared.end();
    expect(await everything(lab)).toEqual(atTarget);
  });

  test.each(['merge', 'cancel'] as const)(
    '14: cancel against merge: when %s has the record first, the other finds out',
    async (first) => {
      const lab = await world(books);
      const target = await lab.captureTarget();
      const atTarget = await everything(lab);
      await lab.live.query(mishap);
      const before = await everything(lab);
      const prepared = await lab.prepare('a', target);
      if (first === 'cancel') {
        expect(await cancelRestore(lab.context, prepared.restoreId)).toBe('cancelled');
        await expect(prepared.merge()).rejects.toMatchObject({ code: 'RESTORE_CLOSED' });
        expect(await everything(lab)).toEqual(before);
      } else {
        // Cancelled while the merge is about to commit: it has to wait, and to hear that the merge won.
        let cancelling: Promise<string> | undefined;
        let commits = 0;
        const pool = watched(lab.app.application, async (sql) => {
          if (sql !== 'commit') return;
          commits += 1;
          if (commits !== 2) return;
          cancelling = cancelRestore(lab.context, prepared.restoreId);
          await waitForWaiter(lab);
        });
        expect(await mergeWith(lab, pool, prepared)).toMatchObject({ kind: 'merged' });
        expect(await cancelling).toBe('merged');
        expect(await everything(lab)).toEqual(atTarget);
      }
      await prepared.end();
    },
  );

  test('14: another diff than the approved one changes nothing and names the new hash', async () => {
    const lab = await world(books);
    const target = await lab.captureTarget();
    await lab.live.query(mishap);
    const prepared = await lab.prepare('a', target);
    // A session in replica role passes the gate.
    await lab.live.query(
      `set session_replication_role = replica; update invoices set number = 77 where id = 1; reset session_replication_role`,
    );
    const before = await everything(lab);
    const outcome = await prepared.merge();
    expect(outcome).toMatchObject({
      kind: 'diff-changed',
      diffHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(outcome).not.toMatchObject({ diffHash: prepared.preview.diffHash });
    expect(await everything(lab)).toEqual(before);
    expect(await prepared.merge('0'.repeat(64))).toEqual(outcome);
    await prepared.end();
  });

  test.each([
    [
      'left out',
      (changes: string) => `delete from ${changes} where ctid = (select min(ctid) from ${changes})`,
    ],
    ['skipped', (changes: string) => `update ${changes} set chronawflow_skip = true`],
  ])(
    '14: changes of the preview that are %s after the approval are not what was approved',
    async (_, tamper) => {
      const lab = await world(books);
      const target = await lab.captureTarget();
      await lab.live.query(mishap);
      const prepared = await lab.prepare('a', target);
      const { rows } = await lab.live.query<{ changes: string }>(
        `select quote_ident(relname) as changes from pg_class where relname like $1 and relkind = 'r' order by 1`,
        [`${prepared.restoreId}\\_preview\\_%`],
      );
      const before = await everything(lab);
      let tampered = 0;
      for (const { changes } of rows)
        tampered += (await lab.live.query(tamper(`chronawflow.${changes}`))).rowCount ?? 0;
      expect(tampered).toBeGreaterThan(0);
      expect(await prepared.merge()).toMatchObject({ kind: 'diff-changed' });
      expect(await everything(lab)).toEqual(before);
      const again = await prepared.previewAgain();
      expect(again.diffHash).toBe(prepared.preview.diffHash);
      expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
      await prepared.end();
    },
  );
});

test('9: below an orphan that gets its parent back, rows that came since go', async () => {
  const lab =
    await world(`create table orders (id int primary key, tenant_id text not null references tenants);
    create table parcels (id int primary key, order_id int references orders on delete set null);
    create table labels (id int primary key, parcel_id int not null references parcels, text text);
    insert into orders values (1, 'a'), (2, 'b');
    insert into parcels values (10, 1), (20, 2);
    insert into labels values (100, 10, 'kept'), (200, 20, 'theirs')`);
  const target = await lab.captureTarget();
  await lab.live.query(`delete from orders where id = 1`);
  await lab.live.query(
    `insert into labels values (101, 10, 'came since'); update labels set text = 'changed' where id = 100`,
  );
  const { merge } = await lab.restore('a', target);
  expect(merge.kind).toBe('merged');
  expect([await all(lab, 'orders'), await all(lab, 'parcels'), await all(lab, 'labels')]).toEqual([
    ['(1,a)', '(2,b)'],
    ['(10,1)', '(20,2)'],
    ['(100,10,kept)', '(200,20,theirs)'],
  ]);
});

describe('15: what replica role does not silence', () => {
  const always = (kind: string, table = 'notes') => `
    create table notes (id int, tenant_id text not null, year int not null default 2026, body text, primary key (id, year)) partition by list (year);
    create table notes_2026 partition of notes for values in (2026);
    create table trail (id serial primary key, what text);
    create function trace() returns trigger language plpgsql as $$ begin insert into public.trail (what) values (tg_op); return null; end $$;
    create trigger tracer after insert or update or delete on ${table} for each row execute function trace();
    alter table ${table} enable ${kind} trigger tracer;
    insert into notes values (1, 'a', 2026, 'x'); delete from trail;`;
  const trail = { 'public.trail': { mode: 'keep' } } as const;

  test.each(['always', 'replica'])(
    '15: a trigger that is ENABLE %s is an error that names it',
    async (kind) => {
      const lab = await world(always(kind), { overrides: trail });
      const target = await lab.captureTarget();
      await expect(lab.prepare('a', target)).rejects.toMatchObject({
        code: 'TRIGGERS_FIRE',
        message: expect.stringContaining('tracer'),
      });
    },
  );

  test('15: on a partition only, it is an error as well', async () => {
    const lab = await world(always('always', 'notes_2026'), { overrides: trail });
    const target = await lab.captureTarget();
    await expect(lab.prepare('a', target)).rejects.toMatchObject({
      code: 'TRIGGERS_FIRE',
      message: expect.stringContaining('tracer'),
    });
  });

  test('15: an override allows it by name', async () => {
    const lab = await world(always('always'), {
      overrides: { ...trail, 'public.notes': { allowTriggers: 'tracer' } },
    });
    const target = await lab.captureTarget();
    await lab.live.query('delete from notes; delete from trail');
    await lab.restore('a', target);
    expect(await all(lab, 'notes')).toEqual(['(1,a,2026,x)']);
    expect(await imagesOf(lab.live, 'select what from trail')).toEqual(['(INSERT)']);
  });

  test('15: ordinary triggers do not fire', async () => {
    const lab = await world(always('always').replace('enable always trigger', 'enable trigger'), {
      overrides: trail,
    });
    const target = await lab.captureTarget();
    await lab.live.query('delete from notes; delete from trail');
    await lab.restore('a', target);
    expect(await all(lab, 'notes')).toEqual(['(1,a,2026,x)']);
    expect(await all(lab, 'trail')).toEqual([]);
  });

  const ranks = {
    unique: `create table ranks (id int primary key, tenant_id text not null, rank int, unique (rank) deferrable);`,
    deferred: `create table ranks (id int primary key, tenant_id text not null, rank int, unique (rank) deferrable initially deferred);`,
    exclude: `create table ranks (id int primary key, tenant_id text not null, rank int, exclude using btree (rank with =) deferrable);`,
  };
  const seed = `insert into ranks values (1, 'a', 1), (2, 'a', 2), (3, 'b', 3);`;

  test.each(Object.entries(ranks))(
    '15: a value of a deferrable constraint (%s) that is taken is named in the preview',
    async (_kind, ddl) => {
      const lab = await world(ddl + seed);
      const target = await lab.captureTarget();
      await lab.live.query('delete from ranks where id = 1; update ranks set rank = 1 where id = 3');
      const prepared = await lab.prepare('a', target);
      expect(prepared.preview.conflicts).toMatchObject([
        { table: 'public.ranks', kind: 'unique-taken', rows: 1 },
      ]);
      await prepared.end();
    },
  );

  test.each(Object.entries(ranks))(
    '15: a value of a deferrable constraint (%s) that is taken after the preview stops the merge',
    async (_kind, ddl) => {
      const lab = await world(ddl + seed);
      const target = await lab.captureTarget();
      await lab.live.query('delete from ranks where id = 1');
      const prepared = await lab.prepare('a', target);
      await lab.live.query('update ranks set rank = 1 where id = 3');
      const before = await all(lab, 'ranks');
      await expect(prepared.merge()).rejects.toMatchObject({ code: 'PROOF_FAILED' });
      await prepared.end();
      expect(await all(lab, 'ranks')).toEqual(before);
    },
  );

  test.each(['unique (code) deferrable', 'unique (code)'])(
    '15: %s over citext is by the operator of citext, in the preview and in the proof',
    async (constraint) => {
      const lab = await world(`create extension citext;
        create table codes (id int primary key, tenant_id text not null, code citext, ${constraint});
        insert into codes values (1, 'a', 'One'), (2, 'b', 'two');`);
      const target = await lab.captureTarget();
      await lab.live.query(`delete from codes where id = 1`);
      const late = await lab.prepare('a', target);
      await lab.live.query(`update codes set code = 'ONE' where id = 2`);
      const before = await all(lab, 'codes');
      await expect(late.merge()).rejects.toBeInstanceOf(Error);
      await late.end();
      expect(await all(lab, 'codes')).toEqual(before);
      const prepared = await lab.prepare('a', target);
      expect(prepared.preview.conflicts).toMatchObject([
        { table: 'public.codes', kind: 'unique-taken', rows: 1 },
      ]);
      await prepared.end();
    },
  );

  test.each(Object.entries(ranks))(
    '16: another session’s open insert of the same deferrable value (%s) cannot commit beside the merge',
    async (_kind, ddl) => {
      const lab = await world(ddl + seed);
      const target = await lab.captureTarget();
      await lab.live.query('delete from ranks where id = 1');
      const prepared = await lab.prepare('a', target);
      const other = await lab.live.connect();
      await other.query('begin');
      await other.query(`insert into ranks values (9, 'b', 1)`);
      const merging = settled(prepared.merge());
      await Promise.race([merging, waitForWaiter(lab)]);
      const committed = await settled(other.query('commit'));
      other.release();
      const merged = await merging;
      await prepared.end();
      const { rows } = await lab.live.query<{ count: string }>('select count(*) from ranks where rank = 1');
      expect({ rows: rows[0]?.count, both: 'value' in committed && 'value' in merged }).toEqual({
        rows: '1',
        both: false,
      });
    },
  );
});

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

  test.each(['commit', 'rollback'])(
    '16: another session’s open delete of a parent that a written row needs (%s)',
    async (end) => {
      const lab = await world(shop, shared);
      const target = await lab.captureTarget();
      await lab.live.query('delete from prices where id = 1');
      const prepared = await lab.prepare('a', target);
      const other = await lab.live.connect();
      await other.query('begin');
      await other.query(`delete from currencies where code = 'DEM'`);
      const merging = settled(prepared.merge());
      await waitForWaiter(lab);
      await other.query(end);
      other.release();
      const outcome = await merging;
      await prepared.end();
      if (end === 'commit') expect(outcome).toMatchObject({ error: { code: 'PROOF_FAILED' } });
      else expect(outcome).toMatchObject({ value: { kind: 'merged' } });
      expect(await orphans(lab)).toBe(0);
    },
  );

  test.each(['commit', 'rollback'])(
    '16: another tenant’s open insert of a child of a row that goes (%s)',
    async (end) => {
      const lab = await world(shop, shared);
      const target = await lab.captureTarget();
      await lab.live.query(`insert into prices values (2, 'a', 'EUR')`);
      const prepared = await lab.prepare('a', target);
      const other = await lab.live.connect();
      await other.query('begin');
      await other.query(`insert into wishes values (1, 'b', 2)`);
      const merging = settled(prepared.merge());
      await waitForWaiter(lab);
      await other.query(end);
      other.release();
      const outcome = await merging;
      await prepared.end();
      if (end === 'commit') expect(outcome).toMatchObject({ error: { code: 'PROOF_FAILED' } });
      else expect(outcome).toMatchObject({ value: { kind: 'merged' } });
      expect(await orphans(lab)).toBe(0);
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
      expect(seconds).toBeLessThan(30);
    },
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

describe('19: the proof at the end, and modes', () => {
  const t = `create table t (id int primary key, tenant_id text not null, v text);
    insert into t values (1, 'a', 'lost'), (2, 'a', 'changed'), (3, 'a', 'same'), (9, 'b', 'b');`;
  const modes = [
    {
      modes: { create: true, update: false, delete: false },
      rows: ['(1,a,lost)', '(2,a,x)', '(3,a,same)', '(4,a,new)'],
    },
    {
      modes: { create: false, update: true, delete: false },
      rows: ['(2,a,changed)', '(3,a,same)', '(4,a,new)'],
    },
    { modes: { create: false, update: false, delete: true }, rows: ['(2,a,x)', '(3,a,same)'] },
    {
      modes: { create: true, update: true, delete: false },
      rows: ['(1,a,lost)', '(2,a,changed)', '(3,a,same)', '(4,a,new)'],
    },
    { modes: { create: false, update: false, delete: false }, rows: ['(2,a,x)', '(3,a,same)', '(4,a,new)'] },
  ];
  test.each(modes)('19: modes $modes apply exactly those differences', async ({ modes: chosen, rows }) => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(
      `delete from t where id = 1; update t set v = 'x' where id = 2; insert into t values (4, 'a', 'new')`,
    );
    const { preview, merge } = await lab.restore('a', target, { modes: chosen });
    expect(await all(lab, 't')).toEqual([...rows, '(9,b,b)']);
    expect(merge).toMatchObject({ digestAfter: preview.digestExpected, digestBefore: preview.digestNow });
    expect(merge).toMatchObject({
      rows: expect.arrayContaining([
        {
          table: 'public.t',
          inserted: Number(chosen.create),
          updated: Number(chosen.update),
          deleted: Number(chosen.delete),
        },
      ]),
    });
  });

  test('19: a BEFORE trigger that is allowed and changes what is written fails the proof', async () => {
    const lab = await world(
      `${t} create function shout() returns trigger language plpgsql as $$ begin new.v := upper(new.v); return new; end $$;
      create trigger shout before insert or update on t for each row execute function shout(); alter table t enable always trigger shout;`,
      { overrides: { 'public.t': { allowTriggers: 'shout' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query('delete from t where id = 1');
    const before = await all(lab, 't');
    const prepared = await lab.prepare('a', target);
    await expect(prepared.merge()).rejects.toMatchObject({ code: 'PROOF_FAILED' });
    await prepared.end();
    expect(await all(lab, 't')).toEqual(before);
  });
});

describe('sequences move forward only', () => {
  const sequences = `create table always (id int generated always as identity primary key, tenant_id text);
    create table by_default (id bigint generated by default as identity (increment by 10) primary key, tenant_id text);
    create table serials (id serial primary key, tenant_id text);
    create table downward (id int generated always as identity (increment by -1 minvalue -1000 maxvalue -1 start with -1) primary key, tenant_id text);
    insert into always (tenant_id) values ('a'), ('a'), ('a'); insert into by_default (tenant_id) values ('a'), ('a');
    insert into serials (tenant_id) values ('a'), ('a'), ('b'); insert into downward (tenant_id) values ('a'), ('a');`;

  test('sequences that were set back are moved past the restored rows, the others stay', async () => {
    const lab = await world(sequences);
    const target = await lab.captureTarget();
    await lab.live.query(
      `truncate always, by_default, downward restart identity; delete from serials; select setval('serials_id_seq', 500)`,
    );
    const { merge } = await lab.restore('a', target);
    expect(merge).toMatchObject({ kind: 'merged' });
    const { rows } = await lab.live.query(`insert into always (tenant_id) values ('b') returning id`);
    expect(rows).toEqual([{ id: 4 }]);
    expect(
      (await lab.live.query(`insert into by_default (tenant_id) values ('b') returning id`)).rows,
    ).toEqual([{ id: '21' }]);
    expect((await lab.live.query(`insert into downward (tenant_id) values ('b') returning id`)).rows).toEqual(
      [{ id: -3 }],
    );
    expect((await lab.live.query(`insert into serials (tenant_id) values ('b') returning id`)).rows).toEqual([
      { id: 501 },
    ]);
  });

  test('an identity that the application overrides with far greater keys does not hold up the merge', async () => {
    const lab =
      await world(`create table events (id bigint generated by default as identity primary key, tenant_id text);
      insert into events values (723456789012345678, 'a'), (1, 'a'), (823456789012345678, 'b');`);
    const target = await lab.captureTarget();
    await lab.live.query(`delete from events where tenant_id = 'a'`);
    const started = performance.now();
    const { merge } = await lab.restore('a', target);
    expect(merge).toMatchObject({ kind: 'merged' });
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('code of the application that the writes call', () => {
  test('a CHECK function, a generated column and an index that name tables without schema work', async () => {
    const lab = await world(
      `create table limits (tenant_id text primary key, most int); insert into limits values ('a', 10), ('b', 10);
      create function within(t text, n int) returns bool language plpgsql stable as $$ begin return n <= (select most from limits where tenant_id = t); end $$;
      create function double_it(n int) returns int language sql immutable as 'select n * 2';
      create function twice(n int) returns int language sql immutable as 'select double_it(n)';
      create table used (id int primary key, tenant_id text not null, n int, d int generated always as (twice(n)) stored, check (within(tenant_id, n)));
      create index on used (twice(n));
      insert into used values (1, 'a', 5), (2, 'a', 7), (3, 'b', 1);`,
    );
    const target = await lab.captureTarget();
    const atTarget = await all(lab, 'used');
    await lab.live.query('delete from used where id = 1; update used set n = 1 where id = 2');
    await lab.restore('a', target);
    expect(await all(lab, 'used')).toEqual(atTarget);
  });
});

async function terminate(lab: SliceLab, client: PoolClient): Promise<void> {
  const pid: unknown = Reflect.get(client, 'processID');
  await lab.live.query('select pg_terminate_backend($1, 5000)', [pid]);
}
