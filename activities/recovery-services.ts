import type { Pool } from 'pg';
import type { Config } from '../config';
import type { IntentVerifier } from '../core/operators';
import type { RecoveryEngine, StepControl, StepLog } from '../core/recovery/engine';
import type { NewCluster, RecoveryPointRecord, ResolvedTarget, TargetRequest } from '../core/recovery/types';
import type { RecoveryMetrics } from './recovery-metrics';
import type { PreparedRecoveryPoint, ScratchHost } from './types';

/** What the activities of `recovery` work with; made once by the worker. */
export interface RecoveryServices {
  readonly config: Config;
  readonly platform: Pool;
  readonly log: StepLog;
  readonly metrics: RecoveryMetrics;
  readonly engine: RecoveryEngine;
  /** Absent where the configuration has no operators: then people are who they say they are. */
  readonly intents?: IntentVerifier;
  /** This host: scratch clusters live where they were made. */
  readonly scratchHost: ScratchHost;
  parseTarget(text: string): TargetRequest;
  /** The tenant for a drill that names none; the same seed chooses among the same tenants. */
  chooseDrillTenant(seed: string): Promise<string>;
  createRecoveryPoint(
    point: PreparedRecoveryPoint & { readonly workflowId: string },
    control: StepControl,
  ): Promise<RecoveryPointRecord>;
  restoreCluster(
    request: {
      readonly restoreId: string;
      readonly target: ResolvedTarget;
      readonly into: string;
      readonly promote: boolean;
    },
    control: StepControl,
  ): Promise<NewCluster>;
}
