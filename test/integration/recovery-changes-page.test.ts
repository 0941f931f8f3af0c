import { RecoveryReader } from '../../client/recovery-reader';
import { parseConfig } from '../../config';
import { ReadAudit } from '../../core/audit';
import { pageChanges } from '../../core/recovery/diff/page-changes';
import type { RecoveryContext } from '../../core/recovery/engine';
import { type RealApplication, startApplication } from '../support/real-application';
import { openWorld, type SliceLab } from '../support/slice-lab';

const SCHEMA = `
create table tenants (id text primary key, card text);
create table people (
  card text, n int, tenant_id text not null references tenants, email text, note text, primary key (card, n));
insert into tenants values ('a', '4711'), ('b', '4712');
insert into people select 'card-' || n, n, 'a', 'p' || n || '@example.org', null from generate_series(1, 7) n;
insert into people values ('card-b', 1, 'b', 'b@example.org', null);`;

let app: RealApplication;
let lab: SliceLab;

beforeAll(async () => {
  app = await startApplication({ backup: false });
});
beforeEach(async () => {
  lab = await openWorld(app, { schema: SCHEMA });
});
afterEach(() => lab.drop());
afterAll(() => app?.stop());

/** A preview in which rows 1 to 3 come back, 4 changes, 5 to 7 stay and 8 goes. */
async function previewed(work: (restoreId: string) => Promise<void>): Promise<void> {
  const target = await lab.captureTarget();
  await lab.live.query(`delete from people where tenant_id = 'a' and n <= 3;
    update people set email = 'new@example.org', note = 'moved' where n = 4;
    insert into people values ('card-8', 8, 'a', 'p8@example.org', null)`);
  const prepared = await lab.prepare('a', target);
  try {
    await work(prepared.restoreId);
  } finally {
    await prepared.end();
  }
}

const people = (restoreId: string, page: object = {}) => ({ restoreId, table: 'public.people', ...page });

test('row images come a page at a time, in the order of the key, until the end', async () => {
  await previewed(async (restoreId) => {
    const seen: string[] = [];
    let offset: number | undefined = 0;
    let pages = 0;
    while (offset !== undefined) {
      const page = await pageChanges(lab.context, people(restoreId, { offset, limit: 2 }));
      expect(page.rows.length).toBeLessThanOrEqual(2);
      seen.push(...page.rows.map((row) => `${row.op} ${row.key.card}`));
      offset = page.nextOffset;
      pages += 1;
    }
    expect(seen).toEqual([
      'insert card-1',
      'insert card-2',
      'insert card-3',
      'update card-4',
      'delete card-8',
    ]);
    expect(pages).toBe(3);
    const all = await pageChanges(lab.context, people(restoreId));
    expect(all.nextOffset).toBeUndefined();
    // Of an update only what differs: what is there now, and what the merge would write.
    expect(all.rows[3]).toMatchObject({
      op: 'update',
      columns: [
        { name: 'email', current: 'new@example.org', restored: 'p4@example.org' },
        { name: 'note', current: 'moved', restored: null },
      ],
    });
    expect(await pageChanges(lab.context, people(restoreId, { offset: 99 }))).toEqual({
      tenant: 'a',
      table: 'public.people',
      rows: [],
    });
    await expect(pageChanges(lab.context, { restoreId, table: 'public.nothing' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      hint: expect.stringContaining('public.people'),
    });
  });
});

test.each([[['public.people.card', 'public.people.email']], [['*.people.card', '*.people.email']]])(
  'columns listed as sensitive (%j) are masked everywhere, in keys as well; that there is none is told',
  async (sensitiveColumns) => {
    const recovery = { ...lab.context.config.recovery, sensitiveColumns };
    const ctx: RecoveryContext = { ...lab.context, config: { ...lab.context.config, recovery } };
    await previewed(async (restoreId) => {
      const page = await pageChanges(ctx, people(restoreId));
      expect(JSON.stringify(page)).not.toMatch(/card-|example\.org/);
      expect(page.rows[0]).toMatchObject({ key: { card: '***', n: '1' } });
      expect(page.rows[3]?.columns).toEqual([
        { name: 'email', current: '***', restored: '***' },
        { name: 'note', current: 'moved', restored: null },
      ]);
      const inserted = page.rows[0]?.columns.find(({ name }) => name === 'email');
      expect(inserted).toEqual({ name: 'email', current: null, restored: '***' });
    });
  },
);

test.each(['email', 'people.email', 'public.people.'])('%j is no column that could be masked', (column) => {
  const minimal = {
    temporal: {},
    platform: { database: { host: 'h', database: 'd', user: 'u' } },
    application: {
      database: { host: 'h', database: 'd', user: 'u' },
      backup: { stanza: 's', configFile: 'c' },
    },
    tenancy: { table: 'public.tenants' },
    recovery: { sensitiveColumns: [column] },
  };
  expect(() => parseConfig(JSON.stringify(minimal), { file: 'c.yaml', env: {} })).toThrow(
    /sensitiveColumns.*schema\.table\.column/,
  );
});

test('that row images were read is an event, unless it is switched off', async () => {
  await previewed(async (restoreId) => {
    const { config, platform, application } = lab.context;
    const page = { table: 'public.people', limit: 2 };
    const read = async (previews: boolean) => {
      const reads = new ReadAudit({ ...config.audit.reads, previews }, platform, application);
      await new RecoveryReader(config, platform, application, reads).changes(restoreId, page);
    };
    await read(true);
    await read(false);
    const { rows } = await platform.query(
      `select tenant, details from chronawflow.audit_event where action = 'row-images.read' and object = $1`,
      [restoreId],
    );
    expect(rows).toEqual([{ tenant: 'a', details: { rows: 2, table: 'public.people' } }]);
  });
});
