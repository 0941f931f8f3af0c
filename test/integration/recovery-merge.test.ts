import { cancelRestore } from '../../core/recovery/record/close-restore';
import { mergeWith, settled, terminate, waitForWaiter, watched } from '../support/merge-control';
import type { SliceLab } from '../support/slice-lab';
import { useSliceLabs } from '../support/slice-labs';

const { twoTenants: world, all } = useSliceLabs();

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
  /** A restore after the mishap, up to its preview. */
  const previewed = async () => {
    const lab = await world(books);
    const target = await lab.captureTarget();
    const atTarget = await everything(lab);
    await lab.live.query(mishap);
    return { lab, atTarget, before: await everything(lab), prepared: await lab.prepare('a', target) };
  };

  test('14: the backend killed before any statement of the merge leaves nothing changed; the retry merges', async () => {
    const { lab, atTarget, before, prepared } = await previewed();
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
      const { lab, atTarget, before, prepared } = await previewed();
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
    const { lab, atTarget, prepared } = await previewed();
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
      const { lab, atTarget, before, prepared } = await previewed();
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
