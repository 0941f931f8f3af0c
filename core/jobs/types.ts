import type { Json } from '../idempotency';

/** 1 is the most urgent. */
export type JobPriority = 1 | 2 | 3 | 4 | 5;

export interface JobRef {
  readonly tenant: string;
  readonly type: string;
  /** Chosen by the submitter: the same key is the same job. */
  readonly key: string;
}

export type JobState = 'waiting' | 'handed' | 'running' | 'done' | 'dead' | 'cancelled';

/** What a waiting job waits for besides its turn. */
export type WaitsFor = 'retry' | 'code' | 'thaw';

/** One attempt's end, as it is kept with the job. */
export interface AttemptError {
  readonly attempt: number;
  /** The error's code, or its class's name. */
  readonly code: string;
  readonly message: string;
  /** ISO 8601, by the database's clock. */
  readonly at: string;
}

/** How far an attempt is, in whatever the job counts; `total` where it is known. */
export interface JobProgress {
  readonly done: number;
  readonly total?: number;
}

export interface JobStatus extends JobRef {
  readonly state: JobState;
  readonly waitsFor?: WaitsFor;
  /** Quarantined or paused: why, by whom and since when. */
  readonly held?: {
    readonly kind: 'quarantine' | 'pause' | 'containment';
    readonly reason: string;
    readonly by: string;
    readonly since: string;
    /** It ends by itself then. */
    readonly until?: string;
    /** It is being released, so many jobs per second. */
    readonly perSecond?: number;
  };
  /** It waits, and no worker that lives has its type's code; a consumer may take it. */
  readonly noWorker?: boolean;
  /** What the last attempt told of itself, some seconds old; not of a job that is done. */
  readonly progress?: JobProgress;
  readonly priority: JobPriority;
  readonly attempts: number;
  readonly submittedAt: string;
  /** Not before this time. */
  readonly runAt: string;
  readonly finishedAt?: string;
  readonly errors: readonly AttemptError[];
  readonly result?: Json;
}

export interface RetryPolicy {
  /** Attempts in all, the first one included. Default 5. */
  readonly maxAttempts: number;
  /** Upper bound of the delay before the second attempt, in milliseconds. Default 1 s. */
  readonly initialMs: number;
  /** What the upper bound grows by with each attempt. Default 2. */
  readonly factor: number;
  /** The upper bound's own limit, in milliseconds; `retryAfter` of an error may be longer. Default 5 minutes. */
  readonly maxMs: number;
  /** Codes or class names of errors that are not tried again. */
  readonly nonRetryable: readonly string[];
}

/** What is known of a type besides its code. */
export interface JobPolicy {
  readonly retry: RetryPolicy;
  /** Limit of one attempt, in milliseconds. Default 5 minutes. */
  readonly timeoutMs: number;
  readonly priority: JobPriority;
  /** Never shed. */
  readonly core: boolean;
  /** Most in flight for one tenant, and over all tenants. */
  readonly concurrency: { readonly perTenant?: number; readonly total?: number };
}

/** Argument of the workflow `tenantJob`: the input stays in the database. */
export interface TenantJobInput extends JobRef {
  /** Limit of one attempt with its clean-up, in milliseconds. */
  readonly attemptLimitMs: number;
}

/** How an attempt, or the look at one that was lost, left the job. */
export type AttemptEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'dead'; readonly code: string; readonly message: string }
  /** Waits in the queue; the workflow is woken when it is handed over again, and looks by itself after `lookInMs`. */
  | { readonly kind: 'waiting'; readonly why: string; readonly lookInMs: number }
  /** An attempt may still be running somewhere; look again when its lease is over. */
  | { readonly kind: 'running'; readonly lookInMs: number };

/** Argument of the workflow `scheduledJob`. */
export interface ScheduledJobInput {
  readonly tenant: string;
  /** The schedule's name: the first part of its jobs' keys. */
  readonly name: string;
  readonly type: string;
  readonly input: Json;
  readonly priority?: JobPriority;
}

/** Argument of the workflow `deferredJob`. */
export interface DeferredJobInput extends JobRef {
  readonly input: Json;
  readonly priority?: JobPriority;
}

/** What the workflow returns. */
export interface ScheduledJobReport {
  readonly key: string;
  readonly outcome: 'submitted' | 'known';
}
