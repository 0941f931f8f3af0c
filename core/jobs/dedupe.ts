import type { Pool, PoolClient } from 'pg';
import type { PreparedJob } from './prepare-submission';
import { claimWindows, forgetWindows } from './store/dedupe-window';
import type { SubmitOutcome } from './store/submit-jobs';

/** What became of a submission: under its own key, or under that of a job with the same input. */
export interface Sent {
  readonly key: string;
  /** `exists`: the job is there, and the submitter wanted a new one. */
  readonly outcome: SubmitOutcome | 'no-tenant' | 'exists';
}

/** Sends submissions under the keys that stand for their inputs, and lets `known` be what each of them asked for. */
export async function sendDeduped(
  db: Pool | PoolClient,
  jobs: readonly PreparedJob[],
  send: (jobs: readonly PreparedJob[]) => Promise<readonly (SubmitOutcome | 'no-tenant')[]>,
): Promise<Sent[]> {
  const placed = await place(db, jobs);
  const outcomes = await send(placed);
  const refused = placed.filter(
    (job, index) =>
      typeof job.dedupe === 'object' && outcomes[index] !== 'submitted' && outcomes[index] !== 'known',
  );
  // Others took the key meanwhile only to be refused as well.
  await forgetWindows(db, refused);
  return placed.map(({ key, dedupe }, index) => {
    const outcome = outcomes[index] ?? 'known';
    return { key, outcome: outcome === 'known' && dedupe === 'reject' ? 'exists' : outcome };
  });
}

async function place(db: Pool | PoolClient, jobs: readonly PreparedJob[]): Promise<readonly PreparedJob[]> {
  const claims = jobs.flatMap(({ tenant, type, key, fingerprint, dedupe }) =>
    typeof dedupe === 'object' ? [{ tenant, type, key, fingerprint, withinMs: dedupe.within }] : [],
  );
  if (claims.length === 0) return jobs;
  const keys = (await claimWindows(db, claims)).values();
  return jobs.map((job) =>
    typeof job.dedupe === 'object' ? { ...job, key: keys.next().value ?? job.key } : job,
  );
}
