import type { OperationRun } from '../../client';
import { restoreIdFor } from '../../core/recovery/restore-id';
import { restoreWorkflowId } from '../../core/recovery/workflow-id';
import type { AccountingWriter } from '../../examples/accubooks';
import type { RestoreStage } from '../support/restore-stage';
import { expectAtWork, expectBackAtTarget } from '../support/restore-stage-expect';
import {
  holdAfter,
  holdableBackupProgram,
  holdBackupProgram,
  holdBefore,
  holdByTransaction,
  holdTableOf,
} from '../support/restore-stage-holds';
import { leftovers } from '../support/restore-stage-leftovers';
import { type LosingOffice, loseInvoices, type Office, openOffice } from '../support/restore-stage-office';
import { useRestoreStage } from '../support/restore-stages';
import { until } from '../support/until';

/**
 * One kill -9 meets several restores at once, each of another organisation and held in another place; the next worker
 * has to bring all of them to their end by itself. A killed attempt is noticed by its missing heartbeats, after 10 s.
 */
describe('kill -9 of the worker', () => {
  let stage: RestoreStage;
  let witness: Office;
  let peer: AccountingWriter;
  const LIMIT_MS = 480_000;

  // A freeze that is held up goes on trying until the worker dies, however long the others take to where they are held.
  const options = { backupProgram: holdableBackupProgram, recovery: { lockAttempts: 200 } };
  const { approve, armedTables } = useRestoreStage(options, (opened) => {
    ({ stage, peer } = opened);
  });
  beforeAll(async () => {
    witness = await openOffice(stage, 'Witness');
  });

  const REQUEST = 'after the kill';
  const idOf = (office: Office) => restoreIdFor(restoreWorkflowId(office.id, REQUEST));
  const start = (office: LosingOffice): Promise<OperationRun> =>
    stage.cf.recovery.restoreTenant({
      tenant: office.id,
      to: office.target,
      requestedBy: 'olive',
      request: REQUEST,
    });
  const phaseOf = async (run: OperationRun) => (await run.status()).phase;

  /** The next worker brings every run to `merged`: exact, nothing left, the others untouched and at work. */
  const expectAllMerged = async (
    runs: readonly {
      readonly office: LosingOffice;
      readonly run: OperationRun;
      readonly approved: boolean;
    }[],
    before: { readonly witness: string; readonly committed: number },
  ) => {
    const reports = await Promise.all(
      runs.map(async ({ run, approved }) => {
        if (!approved) await approve(run);
        return run.result();
      }),
    );
    for (const [n, report] of reports.entries()) {
      expect(report.approvedBy).toEqual(['grace']);
      const office = runs[n]?.office;
      if (office !== undefined) await expectBackAtTarget(office, report);
    }
    expect(await leftovers(stage)).toEqual([]);
    expect((await witness.image()).sha256).toBe(before.witness);
    const now = peer.stats();
    expect(now.committed).toBeGreaterThan(before.committed);
    expect(now.refused).toBe(0);
    await expectAtWork(...runs.map(({ office }) => office));
  };
  const now = async () => ({
    witness: (await witness.image()).sha256,
    committed: peer.stats().committed,
  });

  it(
    'in the middle of a step: every one is done again or gone on with',
    async () => {
      const before = await now();
      const o = await loseInvoices(
        stage,
        'resolving',
        'restoring',
        'recovering',
        'preparing',
        'staging',
        'freezing',
        'previewing',
        'approval',
        'merging',
      );
      // A row for the merge to change that something else can hold.
      await stage.books.query(`update customers set name = name || ' Ltd' where organisation_id = $1`, [
        o.merging.id,
      ]);
      const runs = new Map<LosingOffice, OperationRun>();
      const begin = async (office: LosingOffice) => {
        const run = await start(office);
        runs.set(office, run);
        return run;
      };
      // Those that a half-done step of another one would hold up come first.
      const [merging, approval] = [await begin(o.merging), await begin(o.approval)];
      await Promise.all([
        merging.preview({ limitMs: LIMIT_MS / 2 }),
        approval.preview({ limitMs: LIMIT_MS / 2 }),
      ]);

      const freezing = await holdBefore(stage, o.freezing.id, 'freezing');
      const frozen = await begin(o.freezing);
      await freezing.reached();

      const scratch = [
        await holdBackupProgram(stage, 'restore', idOf(o.restoring)),
        await holdBackupProgram(stage, 'archive-get', idOf(o.recovering)),
        await holdTableOf(stage, idOf(o.preparing), 'stage_7'),
        await holdTableOf(stage, idOf(o.staging), 'completed_0'),
        await holdTableOf(stage, idOf(o.previewing), 'preview_7'),
      ];
      for (const office of [o.restoring, o.recovering, o.preparing, o.staging, o.previewing])
        await begin(office);
      await Promise.all(scratch.map((hold) => hold.reached()));

      const fence = await holdByTransaction(stage, 'lock table chronawflow.fence in exclusive mode');
      await begin(o.resolving);
      await fence.reached();
      // From here on no freeze can end: another organisation's open write is in the way, and then the half-done merge.
      const openWrite = await holdByTransaction(stage, 'lock table invoices in row exclusive mode');
      await freezing.release();
      await until(async () => (await armedTables(idOf(o.freezing))) > 0, { what: 'a freeze that has begun' });
      const row = await holdByTransaction(
        stage,
        'select from customers where organisation_id = $1 for update',
        [o.merging.id],
      );
      await approve(merging);
      await row.reached();
      expect(await phaseOf(merging)).toBe('merging');
      expect(await phaseOf(frozen)).toBe('freezing');

      await stage.worker.kill();
      for (const hold of [...scratch, fence, openWrite, row]) await hold.release();
      await stage.worker.start();
      await expectAllMerged(
        [...runs].map(([office, run]) => ({ office, run, approved: run === merging })),
        before,
      );
    },
    LIMIT_MS,
  );

  it(
    'when a step has done its work and nobody knows: up to the preview',
    async () => {
      const before = await now();
      const o = await loseInvoices(
        stage,
        'open',
        'resolve-target',
        'verify-backup',
        'scratch',
        'prepare-slice',
        'validate-scratch',
        'stage',
      );
      const held = await Promise.all(
        Object.entries(o).map(async ([action, office]) => {
          const hold = await holdAfter(stage, office.id, `restore.${action}`);
          return { office, hold, run: await start(office), approved: false };
        }),
      );
      await Promise.all(held.map(({ hold }) => hold.reached()));
      await stage.worker.kill();
      for (const { hold } of held) await hold.release();
      await stage.worker.start();
      await expectAllMerged(held, before);
    },
    LIMIT_MS,
  );

  it(
    'when a step has done its work and nobody knows: from the freeze to the report',
    async () => {
      const before = await now();
      const o = await loseInvoices(
        stage,
        'freeze',
        'preview',
        'merge',
        'unfreeze',
        'remove-scratch',
        'close',
        'finish',
      );
      const held = await Promise.all(
        Object.entries(o).map(async ([action, office]) => {
          const hold = await holdAfter(stage, office.id, `restore.${action}`);
          const run = await start(office);
          const approved = action !== 'freeze' && action !== 'preview';
          return { office, hold, run, approved };
        }),
      );
      await Promise.all(
        held.map(async ({ hold, run, approved }) => {
          if (approved) await approve(run);
          await hold.reached();
        }),
      );
      await stage.worker.kill();
      for (const { hold } of held) await hold.release();
      await stage.worker.start();
      await expectAllMerged(held, before);
    },
    LIMIT_MS,
  );
});
