import { pageChanges } from '../../core/recovery/diff/page-changes';
import type { ConflictDecision, MappableKind, MappingRule } from '../../core/recovery/types';
import type { SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

const { twoTenants: world, all } = useSliceLabs();

function map(table: string, kind: MappableKind, column: string, rule: MappingRule): ConflictDecision {
  return { table: `public.${table}`, kind, decision: 'map', column, rule };
}

const suffix = (text: string): MappingRule => ({ kind: 'suffix', text });
const value = (text: string): MappingRule => ({ kind: 'value', text });

/** b took a's address after the target; a's rows 1 and 2 were deleted. */
async function takenAddress(constraint = 'unique'): Promise<SliceLab> {
  return world(`create table users (id int primary key, tenant_id text not null references tenants, email varchar(12) ${constraint});
    create table posts (id int primary key, tenant_id text not null references tenants, author int references users);
    insert into users values (1, 'a', 'one@x'), (2, 'a', 'two@x'), (3, 'b', 'three@x');
    insert into posts values (1, 'a', 1), (2, 'b', 3);`);
}

async function takeAddress(lab: SliceLab): Promise<void> {
  await lab.live.query(
    `delete from posts where id = 1; delete from users where tenant_id = 'a'; update users set email = 'one@x' where id = 3`,
  );
}

describe('10: a conflict can be resolved by another value', () => {
  test('10, 19: a taken value gets a suffix in the rows concerned only, is shown, proved, and undone', async () => {
    const lab = await takenAddress();
    const target = await lab.captureTarget();
    await takeAddress(lab);
    const damaged = [await all(lab, 'users'), await all(lab, 'posts')];
    const decisions = [map('users', 'unique-taken', 'email', suffix('-old'))];

    const prepared = await lab.prepare('a', target, { decisions });
    expect(prepared.preview).toMatchObject({
      blocked: false,
      conflicts: [
        {
          table: 'public.users',
          kind: 'unique-taken',
          rows: 1,
          decision: 'map',
          mapping: 'email=suffix:-old',
        },
      ],
    });
    const page = await pageChanges(lab.context, { restoreId: prepared.restoreId, table: 'public.users' });
    expect(page.rows.map(({ mapped, columns }) => [mapped, columns.at(-1)?.restored])).toEqual([
      [['email'], 'one@x-old'],
      [[], 'two@x'],
    ]);
    const merge = await prepared.merge();
    await prepared.end();
    expect(merge).toMatchObject({ kind: 'merged', digestAfter: prepared.preview.digestExpected });
    expect(await all(lab, 'users')).toEqual(['(1,a,one@x-old)', '(2,a,two@x)', '(3,b,one@x)']);
    expect(await all(lab, 'posts')).toEqual(['(1,a,1)', '(2,b,3)']);

    const undo = await lab.prepareUndo('a', prepared.restoreId);
    expect(undo.preview.conflicts).toEqual([]);
    await undo.merge();
    await undo.end();
    expect([await all(lab, 'users'), await all(lab, 'posts')]).toEqual(damaged);
  });

  test('10: what is approved is the mapped value: another rule is another hash, the same one the same', async () => {
    const lab = await takenAddress();
    const target = await lab.captureTarget();
    await takeAddress(lab);
    const hashes: string[] = [];
    for (const text of ['-old', '-new', '-old']) {
      const prepared = await lab.prepare('a', target, {
        decisions: [map('users', 'unique-taken', 'email', suffix(text))],
      });
      hashes.push(prepared.preview.diffHash);
      if (hashes.length === 2)
        expect(await prepared.merge(hashes[0])).toEqual({ kind: 'diff-changed', diffHash: hashes[1] });
      // A second look maps the target's own rows again, not those that the first one mapped.
      const again = await prepared.previewAgain();
      expect([again.diffHash, again.conflicts]).toEqual([hashes.at(-1), prepared.preview.conflicts]);
      await prepared.end();
    }
    expect(hashes[0]).toBe(hashes[2]);
    expect(hashes[1]).not.toBe(hashes[0]);
    expect(await all(lab, 'users')).toEqual(['(3,b,one@x)']);
  });

  test('10: a mapped value that is taken as well blocks, or falls to the other decision', async () => {
    const lab = await takenAddress();
    const target = await lab.captureTarget();
    await takeAddress(lab);
    await lab.live.query(`insert into users values (4, 'b', 'one@x-old')`);
    const mapped = map('users', 'unique-taken', 'email', suffix('-old'));
    const prepared = await lab.prepare('a', target, { decisions: [mapped] });
    expect(prepared.preview).toMatchObject({
      blocked: true,
      conflicts: [
        { decision: 'map', rows: 1 },
        { decision: 'block', rows: 1, message: expect.stringContaining('even as mapped') },
      ],
    });
    await expect(prepared.merge()).rejects.toMatchObject({ code: 'RESTORE_CLOSED' });
    await prepared.end();
    await lab.restore('a', target, {
      decisions: [
        mapped,
        { table: 'public.users', kind: 'unique-taken', decision: 'skip' },
        map('posts', 'parent-missing', 'author', { kind: 'null' }),
      ],
    });
    expect(await all(lab, 'users')).toEqual(['(2,a,two@x)', '(3,b,one@x)', '(4,b,one@x-old)']);
    expect(await all(lab, 'posts')).toEqual(['(1,a,)', '(2,b,3)']);
  });

  test.each(['unique', 'unique deferrable', "check (email <> '') , exclude using btree (email with =)"])(
    '10: two rows of the target that would share a mapped value block (%s)',
    async (constraint) => {
      const lab = await takenAddress(constraint);
      const target = await lab.captureTarget();
      await takeAddress(lab);
      const prepared = await lab.prepare('a', target, {
        decisions: [map('users', 'unique-taken', 'email', value('two@x'))],
      });
      expect(prepared.preview).toMatchObject({
        blocked: true,
        conflicts: [
          { kind: 'unique-taken', decision: 'map', rows: 1 },
          { kind: 'unique-taken', decision: 'block', rows: 1, message: expect.stringContaining('1 mapped') },
        ],
      });
      await prepared.end();
    },
  );

  test('10: a reference whose parent is gone becomes NULL, or leads to another row of the tenant', async () => {
    const lab = await world(
      `create table currencies (code text primary key); insert into currencies values ('EUR'), ('DEM');
      create table prices (id int primary key, tenant_id text not null, code text references currencies, list int);
      insert into prices values (1, 'a', 'DEM', 1), (2, 'a', 'EUR', 1);`,
      { overrides: { 'public.currencies': { mode: 'shared' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(`delete from prices; delete from currencies where code = 'DEM'`);
    const gone = (rule: MappingRule) => ({ decisions: [map('prices', 'parent-missing', 'code', rule)] });
    const { restoreId } = await lab.restore('a', target, gone({ kind: 'null' }));
    expect(await all(lab, 'prices')).toEqual(['(1,a,,1)', '(2,a,EUR,1)']);
    const undo = await lab.prepareUndo('a', restoreId);
    await undo.merge();
    await undo.end();
    expect(await all(lab, 'prices')).toEqual([]);
    await lab.restore('a', target, gone(value('EUR')));
    expect(await all(lab, 'prices')).toEqual(['(1,a,EUR,1)', '(2,a,EUR,1)']);
  });

  test('10: a mapped reference never leads to another tenant’s row', async () => {
    const lab = await world(
      `create table regions (code text primary key); insert into regions values ('eu'), ('us');
      create table customers (id int primary key, tenant_id text not null, region text references regions);
      create table orders (id int primary key, tenant_id text not null, customer int references customers);
      insert into customers values (1, 'a', 'eu'), (2, 'a', 'us'), (3, 'b', 'us');
      insert into orders values (1, 'a', 1);`,
      { overrides: { 'public.regions': { mode: 'shared' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query(
      `delete from orders; delete from customers where id = 1; delete from regions where code = 'eu'`,
    );
    const skipped = { table: 'public.customers', kind: 'parent-missing', decision: 'skip' } as const;
    const to = (customer: string) => ({
      decisions: [skipped, map('orders', 'parent-missing', 'customer', value(customer))],
    });
    const theirs = await lab.prepare('a', target, to('3'));
    expect(theirs.preview).toMatchObject({ blocked: true });
    expect(theirs.preview.conflicts).toContainEqual(
      expect.objectContaining({ table: 'public.orders', decision: 'block', rows: 1 }),
    );
    await theirs.end();
    await lab.restore('a', target, to('2'));
    expect(await all(lab, 'orders')).toEqual(['(1,a,2)']);
  });

  test('10: a column that became NOT NULL since gets a value; every constraint holds for the mapped one', async () => {
    const lab = await world(`create domain short as text check (length(value) < 5);
      create table sites (id int primary key, tenant_id text not null, country short, check (country <> 'XX'));
      insert into sites values (1, 'a', null), (2, 'a', 'FR');`);
    const target = await lab.captureTarget();
    await lab.live.query(`delete from sites; alter table sites alter country set not null`);
    const to = (country: string) => ({
      decisions: [map('sites', 'constraint-violated', 'country', value(country))],
    });
    for (const bad of ['XX', 'Germany']) {
      const prepared = await lab.prepare('a', target, to(bad));
      expect(prepared.preview).toMatchObject({ blocked: true });
      await prepared.end();
    }
    await lab.restore('a', target, to('DE'));
    expect(await all(lab, 'sites')).toEqual(['(1,a,DE)', '(2,a,FR)']);
  });

  test('10: an update that is mapped onto what is there is no change', async () => {
    const lab = await takenAddress();
    const target = await lab.captureTarget();
    await lab.live.query(
      `update users set email = 'one@x-old' where id = 1; update users set email = 'one@x' where id = 3`,
    );
    const prepared = await lab.prepare('a', target, {
      decisions: [map('users', 'unique-taken', 'email', suffix('-old'))],
    });
    expect(prepared.preview).toMatchObject({ blocked: false, totals: { insert: 0, update: 0, delete: 0 } });
    await prepared.end();
  });

  test.each([
    { column: 'id', rule: value('9'), why: /part of the key/ },
    { column: 'tenant_id', rule: value('b'), why: /to whom the row belongs/ },
    { column: 'email', rule: suffix('-much-too-long'), why: /too long/ },
    { column: 'nowhere', rule: suffix('x'), why: /no column/ },
  ])('10: mapping $column is refused, with nothing changed', async ({ column, rule, why }) => {
    const lab = await takenAddress();
    const target = await lab.captureTarget();
    await takeAddress(lab);
    const before = await all(lab, 'users');
    await expect(
      lab.prepare('a', target, { decisions: [map('users', 'unique-taken', column, rule)] }),
    ).rejects.toMatchObject({ code: 'MAPPING_REFUSED', message: expect.stringMatching(why) });
    expect(await all(lab, 'users')).toEqual(before);
  });
});
