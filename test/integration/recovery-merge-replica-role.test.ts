import { settled, waitForWaiter } from '../support/merge-control';
import { imagesOf } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

const { twoTenants: world, all } = useSliceLabs();

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
  /** A restore of the row with rank 1, which nobody had taken when it was previewed. */
  const previewed = async (ddl: string) => {
    const lab = await world(ddl + seed);
    const target = await lab.captureTarget();
    await lab.live.query('delete from ranks where id = 1');
    return { lab, prepared: await lab.prepare('a', target) };
  };

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
      const { lab, prepared } = await previewed(ddl);
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
      const { lab, prepared } = await previewed(ddl);
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
    expect(performance.now() - started).toBeLessThan(60_000);
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
