import { useSliceLabs } from '../support/slice-labs';

const { twoTenants } = useSliceLabs();

const SCHEMA = `create table notes (id bigint primary key, tenant_id text not null references tenants, body text);
  insert into notes select i, 'a', 'note ' || i from generate_series(1, 20) i;`;

test('13: where WAL is decoded, a preview writes nothing that a subscriber would be sent', async () => {
  const lab = await twoTenants(SCHEMA);
  const target = await lab.captureTarget();
  await lab.live.query(`update notes set body = 'scribbled' where id <= 5`);
  await lab.live.query(`select pg_create_logical_replication_slot('watch_preview', 'test_decoding')`);
  try {
    const prepared = await lab.prepare('a', target);
    expect(prepared.preview.totals.update).toBe(5);
    const sent = await lab.live.query<{ data: string }>(
      `select data from pg_logical_slot_peek_changes('watch_preview', null, null) where data like '%\\_preview\\_%'`,
    );
    expect(sent.rows).toEqual([]);
    expect(await prepared.merge()).toMatchObject({ kind: 'merged' });
    const merged = await lab.live.query<{ data: string }>(
      `select data from pg_logical_slot_peek_changes('watch_preview', null, null) where data like '%table public.notes: UPDATE%'`,
    );
    expect(merged.rows).toHaveLength(5);
    await prepared.end();
  } finally {
    await lab.live.query(`select pg_drop_replication_slot('watch_preview')`);
  }
});
