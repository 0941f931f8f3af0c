import { createRecoveryPoint, verifyBackup } from '../../core/recovery/backup';
import { backupProvider } from '../../core/recovery/backup/backup-provider';
import { removeScratch, restoreScratch, validateScratch } from '../../core/recovery/scratch';
import { waitUntilArchived, writeFence } from '../../core/recovery/target/fence';
import type { ResolvedTarget } from '../../core/recovery/types';
import { until } from '../support/until';
import { databaseTime, type NotesApplication, notesIn, quiet, startNotes } from './recovery-fixture';

let notes: NotesApplication;

beforeAll(async () => {
  notes = await startNotes({ settings: { max_prepared_transactions: 4 } });
}, 240_000);
afterAll(() => notes?.stop());

/** The rows that a restore to the target finds; its steps are those of a tenant's restore. */
async function rowsAt(target: ResolvedTarget): Promise<number[]> {
  const { ctx } = notes;
  const restoreId = `at/${target.kind}/${target.value}`;
  await verifyBackup(ctx, target, quiet);
  try {
    const scratch = await restoreScratch(ctx, restoreId, target, quiet);
    await validateScratch(ctx, scratch, target, quiet);
    return await notesIn(scratch);
  } finally {
    await removeScratch(ctx, restoreId);
  }
}

async function one<Row extends object>(sql: string): Promise<Row> {
  const { rows } = await notes.app.superuser.query<Row>(sql);
  const row = rows[0];
  if (row === undefined) throw new Error(`no row from ${sql}`);
  return row;
}

describe('what a target restores', () => {
  test('a time with microseconds: the commits before it', async () => {
    const at = await notes.write(10);
    await notes.write(11);
    const target = await notes.resolve(at);
    expect(target).toMatchObject({ kind: 'time', at: expect.stringMatching(/\.\d{6}Z$/), timeline: 1 });
    expect(await rowsAt(target)).toEqual([10]);
  });

  test('21: an age is by the database clock and is resolved once', async () => {
    const { seconds } = await one<{ seconds: string }>(
      `select ceil(extract(epoch from clock_timestamp() - max(pg_xact_commit_timestamp(xmin)))) as seconds from public.note where id = 11`,
    );
    await notes.app.superuser.query('select pg_sleep(1.5)');
    const before = await databaseTime(notes.app);
    await notes.write(12);
    const target = await notes.resolve('0s ago');
    expect(target.kind).toBe('time');
    expect(Date.parse(target.at ?? '')).toBeGreaterThan(Date.parse(before));
    expect(Number(seconds)).toBeGreaterThan(0);
    expect(await rowsAt(target)).toEqual([10, 11, 12]);
  });

  test('21: a transaction counts by its commit: one that was open or prepared at the target is absent', async () => {
    const { superuser } = notes.app;
    const [open, preparing] = [await superuser.connect(), await superuser.connect()];
    try {
      await open.query('begin; insert into public.note values (201)');
      await preparing.query(
        `begin; insert into public.note values (202); prepare transaction 'at the target'`,
      );
      const at = await notes.write(203);
      await open.query('commit');
      await preparing.query(`commit prepared 'at the target'`);
      expect(await rowsAt(await notes.resolve(at))).toEqual([10, 11, 12, 203]);
      expect(await rowsAt(await notes.resolve('0s ago'))).toEqual([10, 11, 12, 201, 202, 203]);
    } finally {
      open.release();
      preparing.release();
      await superuser.query('delete from public.note where id > 200');
    }
  });

  test('a named recovery point, also after more was written', async () => {
    const point = { id: 'named-1', kind: 'named', name: 'before "migration"', createdBy: 'test' } as const;
    await createRecoveryPoint(notes.ctx, point, quiet);
    await notes.write(13);
    const target = await notes.resolve(`point:${point.name}`);
    expect(target).toMatchObject({ kind: 'name', at: expect.any(String) });
    expect(await rowsAt(target)).toEqual([10, 11, 12]);
  });

  test('a restore point that somebody made in PostgreSQL itself, found in the archived WAL', async () => {
    await one(`select pg_create_restore_point('made-by-hand')`);
    await notes.write(14);
    const target = await notes.resolve('point:made-by-hand');
    expect(target).toMatchObject({ kind: 'name', value: 'made-by-hand' });
    expect(await rowsAt(target)).toEqual([10, 11, 12, 13]);
  });

  test('an LSN', async () => {
    const { lsn } = await one<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
    await notes.write(15);
    await notes.write(16);
    const target = await notes.resolve(`lsn:${lsn.toLowerCase()}`);
    expect(await rowsAt(target)).toEqual(expect.arrayContaining([10, 11, 12, 13, 14]));
    expect(await rowsAt(target)).not.toContain(16);
  });

  test('a transaction: its own rows included, those of the next one not', async () => {
    const { xid } = await one<{ xid: string }>(
      'with w as (insert into public.note values (17) returning 1) select pg_current_xact_id()::text as xid from w',
    );
    await notes.write(18);
    const target = await notes.resolve(`xid:${xid}`);
    expect(target).toMatchObject({ kind: 'xid', value: xid, at: expect.any(String) });
    const rows = await rowsAt(target);
    expect(rows).toContain(17);
    expect(rows).not.toContain(18);
  });
});

describe('targets that are refused, with nothing left behind', () => {
  test.each([
    ['2099-01-01T00:00:00Z', 'TARGET_IN_FUTURE'],
    ['lsn:FFFF/0', 'TARGET_IN_FUTURE'],
    ['xid:4000000000', 'TARGET_IN_FUTURE'],
    ['2001-01-01T00:00:00Z', 'TARGET_BEFORE_FIRST_BACKUP'],
    ['1000w ago', 'TARGET_BEFORE_FIRST_BACKUP'],
    ['lsn:0/1000000', 'TARGET_BEFORE_FIRST_BACKUP'],
    ['point:never made', 'TARGET_NOT_FOUND'],
  ])('%s: %s', async (text, code) => {
    await expect(notes.resolve(text)).rejects.toMatchObject({ code });
  });

  test('a target before the first backup names the earliest time that works', async () => {
    const error = await notes.resolve('2001-01-01T00:00:00Z').catch((thrown) => thrown);
    const { earliest } = error.details;
    expect(error.message).toContain(earliest);
    await expect(notes.resolve(earliest)).resolves.toMatchObject({ kind: 'time', at: earliest });
  });

  test('a transaction that was rolled back, and one that still runs', async () => {
    const client = await notes.app.superuser.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
      const text = `xid:${rows[0]?.xid}`;
      await expect(notes.resolve(text)).rejects.toMatchObject({
        code: 'TARGET_NOT_FOUND',
        message: expect.stringContaining('still running'),
      });
      await client.query('rollback');
      await expect(notes.resolve(text)).rejects.toMatchObject({
        code: 'TARGET_NOT_FOUND',
        message: expect.stringContaining('rolled back'),
      });
    } finally {
      await client.query('rollback');
      client.release();
    }
  });

  test('a timeline that the repository does not know', async () => {
    await expect(notes.resolve('0s ago', 7)).rejects.toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: expect.stringContaining('timeline 7'),
    });
  });
});

test("restores that start at the same moment on an idle cluster do not wait for each other's fence", async () => {
  const started = Date.now();
  const targets = await Promise.all(Array.from({ length: 8 }, () => notes.resolve('0s ago')));
  expect(new Set(targets.map((target) => target.fenceToken)).size).toBe(8);
  expect(Date.now() - started).toBeLessThan(50_000);
});

test('an archive that takes nothing is an error that shows the failure of the archiver', async () => {
  const { application, pgBackRest } = notes.app;
  await pgBackRest('stop');
  try {
    const { segment } = await writeFence(application);
    const { id } = await one<{ id: string }>('select system_identifier::text as id from pg_control_system()');
    const provider = backupProvider(notes.ctx.config.application.backup);
    const failures = 'select failed_count::int as failures from pg_stat_archiver';
    await until(async () => (await one<{ failures: number }>(failures)).failures > 0);
    await expect(waitUntilArchived(notes.ctx, provider, id, segment, quiet, 500)).rejects.toMatchObject({
      code: 'ARCHIVING_STUCK',
      message: expect.stringContaining(segment),
      details: { failures: expect.any(Number), lastFailed: segment },
    });
  } finally {
    await pgBackRest('start');
  }
});
