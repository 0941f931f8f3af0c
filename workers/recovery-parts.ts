import type { Logger } from 'pino';
import type { RecoveryMetrics } from '../activities/recovery-metrics';
import type { RecoveryServices } from '../activities/recovery-services';
import type { Config } from '../config';
import { createRecoveryEngine, parseTarget, type RecoveryContext } from '../core/recovery';
import { createRecoveryPoint } from '../core/recovery/backup';
import { restoreCluster } from '../core/recovery/cluster-restore';
import { chooseDrillTenant } from '../core/recovery/drill';
import { createPool } from '../database';
import { watchCompliance } from './compliance-watch';
import { startSweeper } from './sweeper';
import { type WorkerProtection, workerProtection } from './worker-protection';

/** The engine's side of the activities. */
export type RecoveryParts = Pick<
  RecoveryServices,
  'engine' | 'parseTarget' | 'chooseDrillTenant' | 'createRecoveryPoint' | 'restoreCluster'
> & {
  /** Removes what earlier runs on this host left behind; called before the first step is taken. */
  readonly sweep: () => Promise<void>;
  /** Watches the objectives from now on. */
  readonly watch: (metrics: RecoveryMetrics) => void;
  readonly close: () => Promise<void>;
};

/** Steps of several restores share the pool; a merge holds one connection for as long as it takes. */
const POOL_SIZE = 10;

/**
 * The engine on real parts, with its connections and its sweeper.
 *
 * @param shared The breakers of the process; without them it has its own.
 */
export function recoveryParts(config: Config, log: Logger, shared?: WorkerProtection): RecoveryParts {
  const application = createPool(config.application.database, {
    applicationName: 'chronawflow worker',
    max: POOL_SIZE,
  });
  const platform = createPool(config.platform.database, { applicationName: 'chronawflow worker', max: 4 });
  const ctx: RecoveryContext = { application, platform, config, log };
  const engine = createRecoveryEngine(ctx);
  const protection = shared ?? workerProtection(config.protection, platform, log);
  let stopSweeper = async () => {};
  let stopWatch = async () => {};
  return {
    engine: {
      ...engine,
      verifyBackup: (target, control) =>
        protection.backupRepository('verify').execute(() => engine.verifyBackup(target, control)),
    },
    parseTarget,
    chooseDrillTenant: (seed) => chooseDrillTenant(ctx, seed),
    createRecoveryPoint: async ({ requestedBy, workflowId, ...point }, control) =>
      protection
        .backupRepository('backup')
        .execute(() =>
          createRecoveryPoint(ctx, { ...point, id: workflowId, workflowId, createdBy: requestedBy }, control),
        ),
    restoreCluster: (request, control) => restoreCluster(ctx, request, control),
    sweep: async () => {
      stopSweeper = await startSweeper(ctx);
    },
    watch: (metrics) => {
      stopWatch = watchCompliance(ctx, metrics);
    },
    close: async () => {
      await Promise.all([stopSweeper(), stopWatch()]);
      if (protection !== shared) await protection.close();
      await Promise.all([application.end(), platform.end()]);
    },
  };
}
