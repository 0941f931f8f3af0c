import type { JobRef } from './types';

/** A hold whose jobs come back at a rate. Empty parts stand for any. */
export interface Release extends JobRef {
  readonly kind: 'quarantine' | 'pause' | 'containment';
  readonly perSecond: number;
  /** How long its next job has been due, in milliseconds; negative while it is not. */
  readonly dueMs: number;
}

/** What nobody asked for in time is not made up for: so much of a release may come at once. */
const BURST_MS = 1_000;

/** How many jobs of a release may go now. The generic cell rate algorithm: ITU-T I.371. */
export function allowanceOf({ perSecond, dueMs }: Pick<Release, 'perSecond' | 'dueMs'>): number {
  return dueMs < 0 ? 0 : 1 + Math.floor((Math.min(dueMs, BURST_MS) * perSecond) / 1_000);
}

/** Milliseconds from now to the job after `taken` more; negative where it is due already. */
export function nextInMs({ perSecond, dueMs }: Pick<Release, 'perSecond' | 'dueMs'>, taken: number): number {
  return (taken * 1_000) / perSecond - Math.min(dueMs, BURST_MS);
}

/** Whether the hold is about this job. */
export function concerns(hold: JobRef, job: JobRef): boolean {
  return (
    (hold.tenant === '' || hold.tenant === job.tenant) &&
    (hold.type === '' || hold.type === job.type) &&
    (hold.key === '' || hold.key === job.key)
  );
}
