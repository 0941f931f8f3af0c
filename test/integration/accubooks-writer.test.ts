import { freezeTenant, removeGate } from '../../core/recovery/gate';
import { applyMigrations } from '../../database';
import {
  AccountingWriter,
  deleteAllInvoices,
  findBookErrors,
  loseOrganisation,
  overcharge,
  seededRandom,
  seedOrganisation,
  WriterFailedError,
  WriterTimeoutError,
} from '../../examples/accubooks';
import { useAccuBooks } from '../support/accubooks-lab';

const LIMIT = 60_000;

const at = useAccuBooks();
const { seed, count, tablesWithRows, loseForGood, writerOf } = at;

describe('mishaps', () => {
  it('deleting all invoices takes lines, allocations and attachments along and leaves payments and journal', async () => {
    const organisation = await seed('Deleted');
    const neighbour = await seed('Neighbour');
    const before = await tablesWithRows(organisation);
    const untouched = await tablesWithRows(neighbour);
    const mishap = await deleteAllInvoices(at.app, organisation.id);
    expect(mishap.rows).toBe(12);
    expect(await tablesWithRows(organisation)).toEqual({
      ...before,
      invoices: 0,
      lines: 0,
      discounts: 0,
      allocations: 0,
      attachments: 0,
      entriesOfInvoices: 0,
    });
    expect(await tablesWithRows(neighbour)).toEqual(untouched);
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([
      { kind: 'invoice-number-missing', count: 12 },
    ]);
    expect(await count('outbox', `topic = 'invoice.delete' and organisation_id = $1`, organisation.id)).toBe(
      12,
    );
  });

  it('overcharging makes every invoice differ from its lines', async () => {
    const organisation = await seed('Overcharged');
    const { lines } = await tablesWithRows(organisation);
    expect((await overcharge(at.app, organisation.id)).rows).toBe(lines);
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([
      { kind: 'invoice-sum-wrong', count: 12 },
    ]);
  });

  it('losing the organisation takes all its rows and leaves its templates to everybody', async () => {
    const organisation = await seed('Lost');
    const orphaned = 'organisation_id is null';
    const before = await count('templates', orphaned);
    expect((await loseOrganisation(at.app, organisation.id)).rows).toBe(1);
    expect(Object.values(await tablesWithRows(organisation)).every((n) => n === 0)).toBe(true);
    expect(await count('templates', orphaned)).toBe(before + 1);
    expect(await count('outbox', 'organisation_id = $1', organisation.id)).toBeGreaterThan(0);
  });
});

describe('the writer', () => {
  it('writes until it is stopped, and leaves books in order', async () => {
    const organisation = await seed('Busy');
    const writer = writerOf(organisation);
    writer.start();
    await writer.waitForCommits(100, LIMIT);
    const stats = await writer.stop();
    expect(stats.committed).toBeGreaterThanOrEqual(100);
    expect(stats.longestStallMs).toBeGreaterThan(0);
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([]);
    const rows = await tablesWithRows(organisation);
    expect(rows.invoices).toBeGreaterThan(12);
    expect(await writer.stop()).toEqual(stats);
    expect(await tablesWithRows(organisation)).toEqual(rows);
  });

  it('keeps to its rate', async () => {
    const writer = writerOf(await seed('Slow'), 20);
    const startedAt = performance.now();
    writer.start();
    await writer.waitForCommits(11, LIMIT);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(10 * 50 * 0.9);
    await writer.stop();
  });

  it('backs off while its tenant is frozen, goes on afterwards, and leaves its neighbours alone', async () => {
    const [organisation, neighbour] = [await seed('Frozen'), await seed('Beside it')];
    const [writer, beside] = [writerOf(organisation), writerOf(neighbour)];
    await applyMigrations(at.admin, 'application');
    await at.admin.query(
      `insert into chronawflow.restore (id, kind, tenant, workflow_id, state)
       values ('freeze-test', 'restore', $1, 'none', 'active')`,
      [organisation.id],
    );
    const limits = { lockTimeoutMs: 500, attempts: 20 };
    const tables = ['counters', 'invoices', 'access_log', 'customers', 'attachments', 'journal_lines'].map(
      (name) => ({
        schema: 'public',
        name,
        condition: { kind: 'column', column: 'organisation_id', type: 'uuid' } as const,
      }),
    );
    writer.start();
    beside.start();
    await Promise.all([writer.waitForCommits(5, LIMIT), beside.waitForCommits(5, LIMIT)]);
    await freezeTenant(
      at.admin,
      { restoreId: 'freeze-test', tenant: organisation.id, untilMs: 600_000, tables, ...limits },
      {},
    );
    const invoices = (await tablesWithRows(organisation)).invoices;
    const frozen = await writer.waitUntil((stats) => stats.refused >= 5, LIMIT);
    await beside.waitForCommits(20, LIMIT);
    expect((await tablesWithRows(organisation)).invoices).toBe(invoices);
    expect(await removeGate(at.admin, 'freeze-test', limits)).toEqual({ removed: true });
    const after = await writer.waitForCommits(5, LIMIT);
    await writer.stop();
    expect(after.committed).toBeGreaterThan(frozen.committed);
    expect((await beside.stop()).refused).toBe(0);
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([]);
  });

  it('counts a write that hangs on a lock as a stall while it hangs', async () => {
    const organisation = await seed('Blocked');
    const writer = new AccountingWriter(at.app, {
      organisationId: organisation.id,
      random: seededRandom(3),
      ratePerSecond: 500,
      work: [
        {
          name: 'count-up',
          weight: 1,
          run: async (tx) => {
            await tx.query(
              'update counters set next_invoice_number = next_invoice_number + 1 where organisation_id = $1',
              [organisation.id],
            );
          },
        },
      ],
    });
    const blocker = await at.admin.connect();
    try {
      await blocker.query('begin');
      await blocker.query('select from counters where organisation_id = $1 for update', [organisation.id]);
      writer.start();
      await expect(writer.waitForCommits(1, 200)).rejects.toThrow(WriterTimeoutError);
      expect(writer.stats().longestStallMs).toBeGreaterThanOrEqual(180);
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    await writer.waitForCommits(1, LIMIT);
    expect((await writer.stop()).longestStallMs).toBeGreaterThanOrEqual(180);
  });

  it('waits for a lost organisation and goes on when it is back', async () => {
    const organisation = await seedOrganisation(at.app, { name: 'Back again' }, seededRandom(77));
    const writer = writerOf(organisation);
    writer.start();
    await writer.waitForCommits(5, LIMIT);
    await loseForGood(organisation);
    await writer.waitUntil((stats) => stats.gone >= 3, LIMIT);
    await seedOrganisation(at.app, { name: 'Back again' }, seededRandom(77));
    await writer.waitForCommits(5, LIMIT);
    await writer.stop();
  });

  it('ends with the error that no retry mends', async () => {
    const organisation = await seed('Broken');
    const writer = new AccountingWriter(at.app, {
      organisationId: organisation.id,
      random: seededRandom(1),
      work: [
        {
          name: 'mistype',
          weight: 1,
          run: async (tx) => {
            await tx.query('select from no_such_table');
          },
        },
      ],
    });
    writer.start();
    await expect(writer.waitForCommits(1, LIMIT)).rejects.toThrow(WriterFailedError);
    await expect(writer.stop()).rejects.toThrow('no_such_table');
  });

  it('reconnects to a server that was away', async () => {
    const organisation = await seed('Restarted');
    const writer = writerOf(organisation);
    writer.start();
    await writer.waitForCommits(5, LIMIT);
    await at.server.halt();
    await writer.waitUntil((stats) => stats.disconnected >= 2, LIMIT);
    await at.server.start();
    await writer.waitForCommits(20, LIMIT);
    await writer.stop();
    expect(await findBookErrors(at.admin, organisation.id)).toEqual([]);
  });
});
