export interface ComponentChange {
  /** ISO 8601. */
  readonly at: string;
  readonly up: boolean;
  readonly reason: string | undefined;
}

export interface ComponentReport {
  readonly name: string;
  readonly kind: 'liveness' | 'readiness';
  readonly critical: boolean;
  readonly up: boolean;
  /** How long it has been so. */
  readonly forMs: number;
  /** What the last check said, where it failed. */
  readonly reason?: string;
  /** Time of the last check. */
  readonly lastMs?: number;
  /** The last changes, the newest last. */
  readonly history: readonly ComponentChange[];
}

export interface HealthReport {
  /** `down`: a critical component is; `degraded`: another one is; `starting`: not everything was checked yet. */
  readonly status: 'up' | 'degraded' | 'down' | 'starting';
  readonly live: boolean;
  readonly ready: boolean;
  readonly uptimeSeconds: number;
  readonly components: readonly ComponentReport[];
}
