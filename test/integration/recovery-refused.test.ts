import { imagesOf } from '../support/slice-lab';
import { TENANTS, useSliceLabs } from '../support/slice-labs';

const { world, all } = useSliceLabs();

describe('who is refused, and why', () => {
  const t = `${TENANTS} create table t (id int primary key, tenant_id text not null); insert into t values (1, 'a'), (2, 'b');`;

  test.each(['nobody', '', "a' or '1'='1", 'a\0b', 'A'])(
    'an unknown tenant (%j) is refused before anything is written',
    async (tenant) => {
      const lab = await world(t);
      const target = await lab.captureTarget();
      await expect(lab.prepare(tenant, target)).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNKNOWN_TENANT|INVALID_INPUT)$/),
      });
      expect(await imagesOf(lab.live, 'select * from chronawflow.restore')).toEqual([]);
    },
  );

  test.each([
    { type: 'uuid', key: 'not-a-uuid' },
    { type: 'int', key: 'abc' },
    { type: 'int', key: '99999999999999' },
    { type: 'positive', key: '-1' },
    { type: 'date', key: '2026-02-31' },
    { type: 'colour', key: 'green' },
  ])('a text that is no $type at all names no tenant', async ({ type, key }) => {
    const lab =
      await world(`create domain positive as int check (value > 0); create type colour as enum ('red');
      create table tenants (id ${type} primary key);`);
    const target = await lab.captureTarget();
    await expect(lab.prepare(key, target)).rejects.toMatchObject({ code: 'UNKNOWN_TENANT' });
  });

  test.each([{ table: 'public.nowhere' }, { table: 'public.tenants', key: 'nothing' }])(
    'a tenant table that is not there is named: %o',
    async (tenancy) => {
      const lab = await world(t);
      await expect(lab.withTenancy(tenancy).prepare('a', lab.live)).rejects.toMatchObject({
        code: 'TENANT_TABLE_MISSING',
        kind: 'usage',
      });
    },
  );

  test('a tenant table that was made since the target had no tenants then', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(`create table firms (id text primary key); insert into firms values ('a')`);
    await lab.app.grant();
    const later = lab.withTenancy({
      table: 'public.firms',
      overrides: { 'public.tenants': { mode: 'shared' } },
    });
    await expect(later.prepare('a', target)).rejects.toMatchObject({ code: 'TENANT_ABSENT_AT_TARGET' });
  });

  test('a tenant that was not there at the target needs allowEmpty', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(`insert into tenants values ('late'); insert into t values (9, 'late')`);
    await expect(lab.prepare('late', target)).rejects.toMatchObject({ code: 'TENANT_ABSENT_AT_TARGET' });
    await lab.restore('late', target, { allowEmpty: true });
    expect([await all(lab, 'tenants'), await all(lab, 't')]).toEqual([
      ['(a)', '(b)'],
      ['(1,a)', '(2,b)'],
    ]);
  });

  test('a tenant that is nowhere is unknown, also when it may be deleted now', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await expect(lab.prepare('gone', target, { tenantDeleted: true })).rejects.toMatchObject({
      code: 'UNKNOWN_TENANT',
    });
  });

  test('a tenant that is deleted now comes back with all its rows, and only when that was said', async () => {
    const lab = await world(t);
    const target = await lab.captureTarget();
    await lab.live.query(`delete from tenants where id = 'a'; delete from t where tenant_id = 'a'`);
    await expect(lab.prepare('a', target)).rejects.toMatchObject({ code: 'UNKNOWN_TENANT' });
    await lab.restore('a', target, { tenantDeleted: true });
    expect([await all(lab, 'tenants'), await all(lab, 't')]).toEqual([
      ['(a)', '(b)'],
      ['(1,a)', '(2,b)'],
    ]);
  });

  test('a role from which row security hides rows is refused', async () => {
    const lab = await world(
      `${t} alter table t enable row level security; create policy mine on t using (tenant_id = current_setting('app.tenant', true));`,
    );
    const target = await lab.captureTarget();
    await lab.live.query('alter role chronawflow nobypassrls');
    try {
      await expect(lab.prepare('a', target)).rejects.toMatchObject({
        code: 'ROWS_HIDDEN',
        message: expect.stringContaining('public.t'),
      });
    } finally {
      await lab.live.query('alter role chronawflow bypassrls');
    }
    await lab.live.query('delete from t where id = 1');
    await lab.restore('a', target);
    expect(await all(lab, 't')).toEqual(['(1,a)', '(2,b)']);
  });

  test.each(['select', 'insert', 'update', 'delete', 'trigger'])(
    'without the right to %s on a table of the slice it is refused',
    async (right) => {
      const lab = await world(t);
      const target = await lab.captureTarget();
      await lab.live.query(`revoke ${right} on t from chronawflow`);
      await expect(lab.prepare('a', target)).rejects.toMatchObject({
        code: 'RIGHTS_MISSING',
        message: expect.stringMatching(new RegExp(`${right}.*public\\.t`, 'i')),
      });
    },
  );

  test('rights that are missing on a shared parent or a child outside the slice are named as well', async () => {
    const lab = await world(
      `${TENANTS} create table currencies (code text primary key);
      create table t (id int primary key, tenant_id text not null, code text references currencies);
      create table outbox (id int primary key, t_id int references t);`,
      { overrides: { 'public.currencies': { mode: 'shared' }, 'public.outbox': { mode: 'keep' } } },
    );
    const target = await lab.captureTarget();
    await lab.live.query('revoke all on currencies, outbox from chronawflow');
    await expect(lab.prepare('a', target)).rejects.toMatchObject({
      code: 'RIGHTS_MISSING',
      message: expect.stringContaining('public.currencies'),
    });
    await expect(lab.prepare('a', target)).rejects.toMatchObject({
      message: expect.stringContaining('public.outbox'),
    });
  });

  test('a second restore of the tenant is refused and names the first, however its key is spelled', async () => {
    const lab =
      await world(`create extension citext; create table tenants (id citext primary key); insert into tenants values ('Acme');
      create table t (id int primary key, tenant_id citext not null); insert into t values (1, 'Acme'), (2, 'ACME');`);
    const target = await lab.captureTarget();
    const running = await lab.prepare('Acme', target);
    await expect(lab.prepare('aCME', target)).rejects.toMatchObject({
      code: 'RESTORE_IN_PROGRESS',
      message: expect.stringContaining(running.restoreId),
    });
    await running.end();
    await lab.live.query('delete from t');
    await lab.restore('acme', target);
    expect(await all(lab, 't')).toEqual(['(1,Acme)', '(2,ACME)']);
  });
});
