/** The workflow `clusterRestore`. */

import type { SignedIntent } from '../../operators';
import type { UndoneCounts } from './preview';
import type { RestoreReport } from './report';
import type { TenantRestoreInput } from './requests';
import type { ScratchValidation } from './scratch';
import type { ResolvedTarget } from './target';

/** Input of the workflow `clusterRestore`. */
export interface ClusterRestoreInput {
  /** As in {@link TenantRestoreInput}. */
  readonly to: string;
  /** Directory for the new cluster on the worker's host. */
  readonly into: string;
  /** End the recovery, so that the new cluster takes writes; else it stays paused at the target, to be looked at. */
  readonly promote?: boolean;
  readonly requestedBy: string;
  readonly reason?: string;
  readonly timeline?: number;
  readonly intent?: SignedIntent;
}

/** Where a restored cluster is; it listens on the local socket of its host only. */
export interface NewCluster {
  readonly host: string;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly port: number;
  readonly promoted: boolean;
  readonly validation: ScratchValidation;
  /** What the running cluster knows to have been completed after the target; absent in reports of earlier versions. */
  readonly completedSince?: CompletedSince;
  /** What of erased people the target had; absent in reports of earlier versions. */
  readonly erased?: {
    /** Erasures after the target, of all tenants. */
    readonly erasures: number;
    /** Rows in which they were applied again before the cluster was handed over; absent while it can only be read. */
    readonly rows?: number;
  };
}

/** Jobs, steps and requests whose effects and records the new cluster lacks. What they did outside is done. */
export interface CompletedSince extends UndoneCounts {
  /** The first hundred, in the order in which they were completed. */
  readonly first: readonly {
    readonly tenant: string;
    readonly kind: 'job' | 'step' | 'request';
    readonly type: string;
    readonly key: string;
    readonly step: string;
    readonly completedAt: string;
  }[];
}

/** Result of the workflow `clusterRestore`. */
export interface ClusterRestoreReport {
  readonly restoreId: string;
  readonly workflowId: string;
  readonly outcome: 'restored' | 'failed' | 'cancelled';
  readonly into: string;
  readonly requestedBy: string;
  readonly target?: ResolvedTarget;
  readonly cluster?: NewCluster;
  /** Code of the error that ended it. */
  readonly errorCode?: string;
  readonly steps: RestoreReport['steps'];
  readonly startedAt: string;
  readonly finishedAt: string;
}
