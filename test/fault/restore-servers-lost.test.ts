import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationRun } from '../../client';
import { restoreIdFor } from '../../core/recovery/restore-id';
import { scratchPaths } from '../../core/recovery/scratch/scratch-paths.pure';
import type { RestoreStage } from '../support/restore-stage';
import { expectAtWork, expectBackAtTarget } from '../support/restore-stage-expect';
import { holdAfter, holdByTransaction, holdTableOf } from '../support/restore-stage-holds';
import { leftovers } from '../support/restore-stage-leftovers';
import { type LosingOffice, loseInvoices, type Office, openOffice } from '../support/restore-stage-office';
import { useRestoreStage } from '../support/restore-stages';
import { until } from '../support/until';

/** Every server that a restore works with goes away once; the run goes on by itself when it is back. */
describe('a server is lost during a restore', () => {
  let stage: RestoreStage;
  let witness: Office;
  let witnessImage: string;
  /** Of one wait; a test has several. */
  const LIMIT_MS = 240_000;
  const TEST_LIMIT_MS = 3 * LIMIT_MS;

  const { approve, peerAtWork } = useRestoreStage({ durableTemporal: true }, (opened) => {
    stage = opened.stage;
  });
  beforeAll(async () => {
    witness = await openOffice(stage, 'Witness');
    witnessImage = (await witness.image()).sha256;
  });
  afterEach(async () => {
    expect(await leftovers(stage)).toEqual([]);
    expect((await witness.image()).sha256).toBe(witnessImage);
    await peerAtWork();
  }, LIMIT_MS);

  const start = (office: LosingOffice, freeze?: 'after-approval') =>
    stage.cf.recovery.restoreTenant({ tenant: office.id, to: office.target, requestedBy: 'olive', freeze });
  const idOf = (run: OperationRun) => restoreIdFor(run.workflowId);
  const finish = async (office: LosingOffice, run: OperationRun) => {
    await expectBackAtTarget(office, await run.result());
    await expectAtWork(office);
  };

  it(
    'kill -9 of Temporal while runs stand in every phase: their steps end while it is away',
    async () => {
      const o = await loseInvoices(
        stage,
        'waiting',
        'resolve-target',
        'scratch',
        'stage',
        'freeze',
        'preview',
        'merge',
        'remove-scratch',
      );
      const { waiting: office, ...steps } = o;
      const approvedBefore = new Set<LosingOffice>([steps.merge, steps['remove-scratch']]);
      const working = await Promise.all(
        Object.entries(steps).map(async ([action, one]) => {
          const hold = await holdAfter(stage, one.id, `restore.${action}`);
          return { office: one, hold, run: await start(one) };
        }),
      );
      const waiting = await start(office);
      await Promise.all([
        waiting.preview({ limitMs: LIMIT_MS }),
        ...working.map(async (one) => {
          if (approvedBefore.has(one.office)) await approve(one.run);
          await one.hold.reached();
        }),
      ]);
      await stage.temporal.kill();
      for (const { hold } of working) await hold.release();
      await stage.temporal.start();
      await Promise.all(
        [{ office, run: waiting }, ...working].map(async (one) => {
          if (!approvedBefore.has(one.office)) await approve(one.run);
          await finish(one.office, one.run);
        }),
      );
    },
    TEST_LIMIT_MS,
  );

  it(
    'kill -9 of the scratch server while it is read from, and while approval is awaited',
    async () => {
      const o = await loseInvoices(stage, 'staging', 'approval');
      const approval = await start(o.approval, 'after-approval');
      const before = await approval.preview({ limitMs: LIMIT_MS });
      const staging = await start(o.staging);
      const hold = await holdTableOf(stage, idOf(staging), 'completed_0');
      await hold.reached();
      for (const run of [approval, staging]) process.kill(await postmasterOf(run), 'SIGKILL');
      await hold.release();
      await approve(approval);
      await approve(staging);
      // The second comparison, under the freeze, read from a server that had to be started again.
      expect((await approval.result()).preview?.diffHash).toBe(before.diffHash);
      await finish(o.approval, approval);
      await finish(o.staging, staging);
    },
    TEST_LIMIT_MS,
  );

  const postmasterOf = async (run: OperationRun): Promise<number> => {
    const { dataDirectory } = scratchPaths(stage.config.application.backup.scratchDirectory, idOf(run));
    return Number.parseInt(await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8'), 10);
  };

  it(
    'the connection is lost in the middle of the merge, three times',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      await stage.books.query(`update customers set name = name || '!' where organisation_id = $1`, [
        office.id,
      ]);
      const run = await start(office);
      await run.preview({ limitMs: LIMIT_MS });
      const row = await holdByTransaction(
        stage,
        'select from customers where organisation_id = $1 for update',
        [office.id],
      );
      await approve(run);
      const { rows } = await row.client.query<{ pid: number }>('select pg_backend_pid() as pid');
      const killed = new Set<number>();
      await until(
        async () => {
          const ended = await stage.books.query<{ pid: number }>(
            `select pid, pg_terminate_backend(pid) from (
               select pid from pg_stat_activity where usename = 'chronawflow' and $1 = any (pg_blocking_pids(pid))
               offset 0) merging`,
            [rows[0]?.pid],
          );
          for (const { pid } of ended.rows) killed.add(pid);
          return killed.size >= 3;
        },
        { limitMs: LIMIT_MS, what: 'three tries of the merge' },
      );
      await row.release();
      await finish(office, run);
      const attempts = await stage.books.query(
        'select from chronawflow.restore where id = $1 and state = $2',
        [idOf(run), 'merged'],
      );
      expect(attempts.rowCount).toBe(1);
    },
    TEST_LIMIT_MS,
  );

  it(
    "the application's cluster crashes while approval is awaited: staging is filled again, what is approved is exact",
    async () => {
      const o = await loseInvoices(stage, 'frozen', 'writing');
      const [frozen, writing] = [await start(o.frozen), await start(o.writing, 'after-approval')];
      await Promise.all([frozen.preview({ limitMs: LIMIT_MS }), writing.preview({ limitMs: LIMIT_MS })]);
      await stage.app.cluster.halt('immediate');
      await stage.app.cluster.start();
      // A write after the crash: what was compared before it is no longer what is there.
      await stage.books.query(`update customers set name = name || '?' where organisation_id = $1`, [
        o.writing.id,
      ]);
      const old = await writing.preview();
      await Promise.all([approve(frozen), approve(writing)]);
      await finish(o.frozen, frozen);
      await writing.until(({ approval }) => approval.kind === 'open' && approval.diffHash !== old.diffHash, {
        limitMs: LIMIT_MS,
      });
      await approve(writing);
      await finish(o.writing, writing);
    },
    TEST_LIMIT_MS,
  );

  it(
    'the control plane is away when the approval comes',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      const run = await start(office);
      // Who reads a preview is recorded; somebody who has read it can approve without the control plane.
      const { diffHash } = await run.preview({ limitMs: LIMIT_MS });
      await stage.app.platformCluster.halt('immediate');
      await run.approve({ diffHash, as: 'grace' });
      const failed = (await readFile(stage.worker.logFile, 'utf8')).split('restore.approval').length;
      await until(
        async () => (await readFile(stage.worker.logFile, 'utf8')).split('restore.approval').length > failed,
        { limitMs: LIMIT_MS, what: 'a try that failed' },
      );
      await stage.app.platformCluster.start();
      await finish(office, run);
    },
    TEST_LIMIT_MS,
  );
});
