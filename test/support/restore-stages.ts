import type { OperationRun } from '../../client';
import type { AccountingWriter } from '../../examples/accubooks';
import { type RestoreStage, type StageOptions, startRestoreStage } from './restore-stage';
import { installHolds } from './restore-stage-holds';
import { openOffice } from './restore-stage-office';

/** A stage where restores can be held, and an office that nobody restores and that writes all the time. */
export interface BusyStage {
  readonly stage: RestoreStage;
  readonly peer: AccountingWriter;
}

const PREVIEW_LIMIT_MS = 240_000;

/** For one test file: a stage for all its tests, handed to `take`. */
export function useRestoreStage(options: StageOptions, take: (opened: BusyStage) => void) {
  let stage: RestoreStage;
  let peer: AccountingWriter;
  beforeAll(async () => {
    stage = await startRestoreStage(options);
    await installHolds(stage);
    peer = (await openOffice(stage, 'Peer')).writer(1);
    peer.start();
    take({ stage, peer });
  }, 300_000);
  afterAll(async () => {
    await peer?.stop();
    await stage?.stop();
  }, 240_000);
  const hashOf = async (run: OperationRun) => (await run.preview({ limitMs: PREVIEW_LIMIT_MS })).diffHash;
  return {
    hashOf,
    approve: async (run: OperationRun, as = 'grace') => run.approve({ diffHash: await hashOf(run), as }),
    /** How many tables have a restore's triggers. */
    armedTables: async (restoreId: string) =>
      (
        await stage.books.query('select distinct tgrelid from pg_trigger where tgname like $1', [
          `chronawflow_gate_${restoreId}%`,
        ])
      ).rowCount ?? 0,
    /** The peer goes on writing, and was never kept from it. */
    peerAtWork: async () => {
      await peer.waitForCommits(1, 60_000);
      expect(peer.stats().refused).toBe(0);
    },
  };
}
