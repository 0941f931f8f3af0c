import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterRun, OperationRun } from '../../client';
import { stopServer } from '../../core/cluster';
import { restoreIdFor } from '../../core/recovery/restore-id';
import { clusterRestoreWorkflowId, undoWorkflowId } from '../../core/recovery/workflow-id';
import { createPool } from '../../database';
import type { AccountingWriter } from '../../examples/accubooks';
import { sliceImage } from '../../scripts/demo/slice-image';
import type { RestoreStage } from '../support/restore-stage';
import { expectAtWork, expectBackAtTarget } from '../support/restore-stage-expect';
import {
  type Hold,
  holdAfter,
  holdableBackupProgram,
  holdBackupProgram,
  holdByTransaction,
  holdTableOf,
} from '../support/restore-stage-holds';
import { leftovers } from '../support/restore-stage-leftovers';
import { type LosingOffice, loseInvoices, type Office, openOffice } from '../support/restore-stage-office';
import { useRestoreStage } from '../support/restore-stages';
import { until } from '../support/until';

/** As in restore-worker-killed: one kill -9 meets several operations, each held in another place. */
describe('kill -9 of the worker', () => {
  let stage: RestoreStage;
  let witness: Office;
  let peer: AccountingWriter;
  /** Of one wait; a test has several. */
  const LIMIT_MS = 240_000;
  const TEST_LIMIT_MS = 3 * LIMIT_MS;

  const { approve, armedTables } = useRestoreStage({ backupProgram: holdableBackupProgram }, (opened) => {
    ({ stage, peer } = opened);
  });
  beforeAll(async () => {
    witness = await openOffice(stage, 'Witness');
  });

  /** Nothing is left, and the others neither changed nor waited. */
  const untouchedBy = async (work: () => Promise<void>) => {
    const [image, { committed }] = [await witness.image(), peer.stats()];
    await work();
    expect(await leftovers(stage)).toEqual([]);
    expect(await witness.image()).toEqual(image);
    expect(peer.stats().committed).toBeGreaterThan(committed);
    expect(peer.stats().refused).toBe(0);
  };

  it(
    'in an undo: after every step, in the middle of staging and of dropping the triggers',
    async () => {
      const o = await loseInvoices(
        stage,
        'open',
        'stage',
        'freeze',
        'preview',
        'merge',
        'unfreeze',
        'finish',
        'staging',
        'dropping',
      );
      const undos = new Map<LosingOffice, Undo>();
      await Promise.all(Object.values(o).map(async (office) => undos.set(office, await restored(office))));
      await untouchedBy(async () => {
        const start = (office: LosingOffice) =>
          stage.cf.recovery.undo({
            tenant: office.id,
            restoreId: undos.get(office)?.restoreId ?? '',
            requestedBy: 'olive',
          });
        const idOf = (office: LosingOffice) =>
          restoreIdFor(undoWorkflowId(office.id, undos.get(office)?.restoreId ?? ''));
        const approved = new Set<LosingOffice>();
        const runs = new Map<LosingOffice, OperationRun>();
        const statusOf = async (office: LosingOffice) => {
          const run = runs.get(office);
          if (run === undefined) throw new Error('it has not begun');
          return run.status();
        };
        const begin = async (office: LosingOffice, options: { readonly approved: boolean }) => {
          const run = await start(office);
          runs.set(office, run);
          if (!options.approved) return;
          approved.add(office);
          await approve(run);
        };

        // Not more of these than the worker has connections to the control plane, less one.
        const after = Object.entries(o).filter(([name]) => !['staging', 'dropping'].includes(name));
        const holds: Hold[] = [];
        for (const [name, office] of after) {
          const action = name === 'stage' ? 'undo.stage' : `restore.${name}`;
          holds.push(await holdAfter(stage, office.id, action));
        }
        const early = ['open', 'stage', 'freeze', 'preview'];
        await Promise.all(after.map(([name, office]) => begin(office, { approved: !early.includes(name) })));
        await Promise.all(holds.map((hold) => hold.reached()));

        // Later, because a half-done staging keeps triggers from being dropped.
        const staging = await holdTableOf(stage, idOf(o.staging), 'stage_7');
        holds.push(staging);
        await begin(o.staging, { approved: false });
        await staging.reached();
        // A session that has read stands in the way of the triggers of one more table.
        const reader = await holdByTransaction(stage, 'lock table invoices in access share mode');
        holds.push(reader);
        const all = await armedTables(idOf(o.freeze));
        await begin(o.dropping, { approved: true });
        await until(
          async () => {
            const armed = await armedTables(idOf(o.dropping));
            const { phase } = await statusOf(o.dropping);
            return phase === 'unfreezing' && armed > 0 && armed < all;
          },
          { limitMs: LIMIT_MS, what: 'a gate that is half removed' },
        );

        await stage.worker.kill();
        for (const hold of holds) await hold.release();
        await stage.worker.start();
        await Promise.all(
          [...runs].map(async ([office, run]) => {
            if (!approved.has(office)) await approve(run);
            expect(await run.result()).toMatchObject({ outcome: 'merged', approvedBy: ['grace'] });
            expect(await office.image()).toEqual(undos.get(office)?.before);
          }),
        );
      });
      await expectAtWork(...Object.values(o));
    },
    TEST_LIMIT_MS,
  );

  interface Undo {
    readonly restoreId: string;
    /** The office's rows before the restore that is undone. */
    readonly before: Awaited<ReturnType<Office['image']>>;
  }

  async function restored(office: LosingOffice): Promise<Undo> {
    const before = await office.image();
    const run = await stage.cf.recovery.restoreTenant({
      tenant: office.id,
      to: office.target,
      requestedBy: 'olive',
    });
    await approve(run);
    const report = await run.result();
    await expectBackAtTarget(office, report);
    return { restoreId: report.restoreId, before };
  }

  it(
    'in a restore of the cluster: after every step, and in the middle of restoring the files',
    async () => {
      const { office } = await loseInvoices(stage, 'office');
      const places = {
        'resolve-target': 'restore.resolve-target',
        'verify-backup': 'restore.verify-backup',
        restored: 'cluster-restore.restore',
        promoted: 'cluster-restore.restore',
        finish: 'cluster-restore.finish',
      };
      const into = (name: string) => join(stage.app.directory, 'clusters', name);
      await mkdir(join(stage.app.directory, 'clusters'), { mode: 0o777 });
      await untouchedBy(async () => {
        const holds: Hold[] = [await holdBackupProgram(stage, 'restore', 'files')];
        for (const [name, action] of Object.entries(places))
          holds.push(await holdAfter(stage, restoreIdFor(clusterRestoreWorkflowId(name)), action));
        const runs = new Map<string, ClusterRun>();
        for (const name of ['files', ...Object.keys(places)]) {
          const run = await stage.cf.recovery.restoreCluster({
            to: office.target,
            into: into(name),
            promote: name === 'promoted',
            requestedBy: 'olive',
            request: name,
          });
          runs.set(name, run);
        }
        await Promise.all(holds.map((hold) => hold.reached()));
        await stage.worker.kill();
        for (const hold of holds) await hold.release();
        await stage.worker.start();
        for (const [name, run] of runs) await expectCluster(name, run, office);
      });
      await rm(join(stage.app.directory, 'clusters'), { recursive: true });
    },
    TEST_LIMIT_MS,
  );

  /** It stands at the target, and only the promoted one takes writes. Stops it. */
  async function expectCluster(name: string, run: ClusterRun, office: LosingOffice): Promise<void> {
    const { outcome, cluster } = await run.result();
    expect({ name, outcome, promoted: cluster?.promoted }).toEqual({
      name,
      outcome: 'restored',
      promoted: name === 'promoted',
    });
    if (cluster === undefined) return;
    const { database } = stage.config.application.database;
    const pool = createPool(
      { host: cluster.socketDirectory, port: cluster.port, database, user: 'postgres' },
      { applicationName: 'test', max: 1 },
    );
    expect(await sliceImage(pool, office.id)).toEqual(office.atTarget);
    const { rows } = await pool.query<{ paused: boolean }>('select pg_is_in_recovery() as paused');
    expect(rows).toEqual([{ paused: name !== 'promoted' }]);
    await pool.end();
    await stopServer({ dataDirectory: cluster.dataDirectory, mode: 'immediate' });
  }
});
