import { execFileSync } from 'node:child_process';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationRun } from '../../client';
import type { AccountingWriter } from '../../examples/accubooks';
import type { Desk, RestoreStage } from '../support/restore-stage';
import {
  expectAtWork,
  expectBackAtTarget,
  expectUnchanged,
  failureOf,
} from '../support/restore-stage-expect';
import { holdByTransaction } from '../support/restore-stage-holds';
import { databaseTime, type LosingOffice, loseInvoices } from '../support/restore-stage-office';

import { useRestoreStage } from '../support/restore-stages';
import { onSmallDisk } from '../support/small-disk';
import { until } from '../support/until';

/** What cannot be done is refused with its code, and then nothing is changed and nothing left. */
describe('a restore that cannot be', () => {
  let stage: RestoreStage;
  let office: LosingOffice;
  let peer: AccountingWriter;
  let beforeFirstBackup: string;

  jest.setTimeout(300_000);
  const { approve, peerAtWork } = useRestoreStage({}, (opened) => {
    ({ stage, peer } = opened);
  });
  beforeAll(async () => {
    const { points, window } = await stage.cf.recovery.points();
    expect(points).toEqual([]);
    beforeFirstBackup = new Date(Date.parse(window.earliest ?? '') - 60_000).toISOString();
  });
  beforeEach(async () => {
    ({ office } = await loseInvoices(stage, 'office'));
  });
  afterEach(async () => {
    await expectUnchanged(stage, office);
    await peerAtWork();
  });

  const start = (to: string, more: object = {}, desk: Desk = stage): Promise<OperationRun> =>
    desk.cf.recovery.restoreTenant({ tenant: office.id, to, requestedBy: 'olive', ...more });
  /** What it ended with; one that gets as far as its approval is stopped and counts as no failure. */
  const failing = async (to: string, more: object = {}, desk: Desk = stage) =>
    failureOf(
      start(to, more, desk).then(async (run) => {
        const { approval } = await run.until((status) => status.approval.kind === 'open');
        if (approval.kind !== 'open') return run.result();
        await run.cancel();
        await failureOf(run.result());
        return approval;
      }),
    );

  it('of an unknown tenant', async () => {
    const tenant = '00000000-0000-4000-8000-000000000000';
    expect(await failing(office.target, { tenant })).toMatchObject({ code: 'UNKNOWN_TENANT' });
  });

  it('to a time in the future', async () => {
    expect(await failing('2999-01-01T00:00:00Z')).toMatchObject({ code: 'TARGET_IN_FUTURE', kind: 'usage' });
  });

  it('to a time before the first backup', async () => {
    expect(await failing(beforeFirstBackup)).toMatchObject({ code: 'TARGET_BEFORE_FIRST_BACKUP' });
  });

  it('to a recovery point that nobody made', async () => {
    expect(await failing('point:never-made')).toMatchObject({ code: 'TARGET_NOT_FOUND' });
  });

  it('to a time behind a gap in the WAL', async () => {
    await stage.app.archiveNow();
    await peer.waitForCommits(1, 60_000);
    await stage.app.archiveNow();
    const behind = await databaseTime(stage.books);
    const lost = (await segments()).at(-2) ?? '';
    await without(lost, async () => {
      expect(await failing(behind)).toMatchObject({
        code: 'TARGET_IN_WAL_GAP',
        message: expect.stringContaining(lost.split('/').at(-1)?.slice(0, 24) ?? ''),
      });
    });
  });

  it('when a file of the backup is missing', async () => {
    await without(await backupFile('1255.'), async () => {
      expect(await failing(office.target)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    });
  });

  it('when a byte of the backup was flipped', async () => {
    await flipped(await backupFile('1255.'), async () => {
      expect(await failing(office.target)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    });
  });

  it('when a byte of the WAL was flipped', async () => {
    const { rows } = await stage.app.superuser.query<{ name: string }>(
      'select pg_walfile_name(pg_current_wal_lsn()) as name',
    );
    const name = rows[0]?.name ?? '';
    await stage.app.archiveNow();
    const file = (await segments()).find((path) => path.includes(`/${name}-`));
    await flipped(file ?? '', async () => {
      // By where the byte is, fetching the segment fails or replay finds a broken record and ends before the target.
      expect(await failing(office.target)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    });
  });

  it('to before the tenant was there, unless that is asked for', async () => {
    const before = await databaseTime(stage.books);
    const { young } = await loseInvoices(stage, 'young');
    const tenant = young.id;
    expect(await failing(before, { tenant })).toMatchObject({
      code: 'TENANT_ABSENT_AT_TARGET',
      kind: 'refused',
    });
    await expectUnchanged(stage, young);

    const run = await start(before, { tenant, allowEmpty: true });
    await approve(run);
    expect(await run.result()).toMatchObject({ outcome: 'merged' });
    expect((await young.image()).rows).toBe(0);
  });

  it('while the role sees only some rows', async () => {
    await stage.app.superuser.query(
      'alter table public.customers enable row level security; alter role chronawflow nobypassrls',
    );
    try {
      expect(await failing(office.target)).toMatchObject({
        code: 'ROWS_HIDDEN',
        message: expect.stringContaining('public.customers'),
      });
    } finally {
      await stage.app.superuser.query(
        'alter table public.customers disable row level security; alter role chronawflow bypassrls',
      );
    }
  });

  it('while another organisation has an open write: it is named by its pid', async () => {
    // Where others restore, a table's lock is waited for with the usual patience.
    const hasty = { lockTimeout: '200ms', lockAttempts: 4 };
    const desk = await stage.openDesk('hasty', { recovery: hasty });
    const write = await holdByTransaction(stage, 'lock table public.invoices in row exclusive mode');
    const { rows } = await write.client.query<{ pid: number }>('select pg_backend_pid() as pid');
    try {
      expect(await failing(office.target, {}, desk)).toMatchObject({
        code: 'FREEZE_BLOCKED',
        message: expect.stringContaining(`pid ${rows[0]?.pid}`),
      });
      await desk.worker.stop();
    } finally {
      await write.release();
    }
  });

  it('on a file system that is full', async () => {
    await onSmallDisk('96m', async (directory) => {
      const desk = await stage.openDesk('cramped', { scratchDirectory: directory });
      expect(await failing(office.target, {}, desk)).toMatchObject({ code: 'SCRATCH_DISK_FULL' });
      expect(await readdir(directory)).toEqual([]);
      await desk.worker.stop();
    });
  });

  it('while another one of the same tenant runs, which it names; two tenants at once both work', async () => {
    const o = await loseInvoices(stage, 'one', 'other');
    const [one, other] = [
      await start(o.one.target, { tenant: o.one.id }),
      await start(o.other.target, { tenant: o.other.id }),
    ];
    await until(async () => (await one.status()).phase !== 'starting', { what: 'the tenant to be taken' });
    expect(await failing(office.target, { tenant: o.one.id })).toMatchObject({
      code: 'RESTORE_IN_PROGRESS',
      message: expect.stringContaining(one.workflowId),
    });
    execFileSync(stage.temporal.cli, [
      'workflow',
      'start',
      `--address=${stage.temporal.address}`,
      '--type=tenantRestore',
      '--task-queue=chronawflow',
      '--workflow-id=second/by/hand',
      `--input=${JSON.stringify({ tenant: o.one.id, to: o.one.target, requestedBy: 'olive' })}`,
    ]);
    expect(await failureOf(stage.cf.recovery.run('second/by/hand').result())).toMatchObject({
      code: 'RESTORE_IN_PROGRESS',
      message: expect.stringContaining(one.workflowId),
    });

    await Promise.all([approve(one), approve(other)]);
    await expectBackAtTarget(o.one, await one.result());
    await expectBackAtTarget(o.other, await other.result());
    await expectAtWork(o.one, o.other);
  });

  /** Archived ones, first the oldest. */
  const segments = async () =>
    (await repositoryFiles('archive')).filter((file) => /\/[0-9A-F]{24}-/.test(file)).sort();
  const backupFile = async (part: string): Promise<string> => {
    const found = (await repositoryFiles('backup')).find((file) =>
      (file.split('/').at(-1) ?? '').startsWith(part),
    );
    if (found === undefined) throw new Error(`the repository has no file ${part}`);
    return found;
  };
  const repositoryFiles = async (area: 'archive' | 'backup'): Promise<string[]> => {
    const root = join(stage.app.repository.repository, area, stage.app.repository.stanza);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };
});

async function without(file: string, work: () => Promise<void>): Promise<void> {
  await rename(file, `${file}.away`);
  try {
    await work();
  } finally {
    await rename(`${file}.away`, file);
  }
}

async function flipped(file: string, work: () => Promise<void>): Promise<void> {
  const good = await readFile(file);
  const bad = Buffer.from(good);
  const middle = bad.length >> 1;
  bad[middle] = (bad[middle] ?? 0) ^ 0xff;
  await writeFile(file, bad);
  try {
    await work();
  } finally {
    await writeFile(file, good);
  }
}
