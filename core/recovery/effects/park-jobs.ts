import type { RecoveryContext, StepControl } from '../engine';
import { pause } from '../target/pause';
import { isStaged } from './undone-effects';
import { completionsTable, undoneSql } from './undone-sql.pure';

/** A step that is committing is waited for; one that takes longer keeps the merge back, as any lock would. */
const LIMIT_MS = 10_000;
const POLL_MS = 100;

/**
 * Takes jobs with steps that the merge undoes away from the attempts that run them: they wait for the thaw, and the
 * attempt, which does not count, is fenced. In a transaction before the merge's own, because the merge takes long, and a
 * worker renews and completes its jobs in statements that would wait for the one row the merge has locked.
 *
 * @returns whether none is left that an attempt runs
 */
export async function parkJobs(
  ctx: RecoveryContext,
  restoreId: string,
  tenant: string,
  control: StepControl,
): Promise<boolean> {
  if (!(await isStaged(ctx.application, restoreId))) return true;
  const limit = performance.now() + LIMIT_MS;
  for (;;) {
    const { rows } = await ctx.application.query<{ left: number }>(PARK(completionsTable(restoreId)), [
      tenant,
    ]);
    if ((rows[0]?.left ?? 0) === 0) return true;
    if (performance.now() > limit) return false;
    control.progress?.({ step: 'waiting for steps of jobs that are committing' });
    await pause(POLL_MS, control.signal);
  }
}

const PARK = (completions: string) => `
  with undone as (${undoneSql(completions)}),
  concerned as (
    select j.tenant, j.type, j.key from chronawflow.job j
    where j.tenant = $1 and j.state in ('handed', 'running')
      and exists (select from undone u where u.kind = 'step' and u.type = j.type and u.key = j.key)
  ), free as (
    select j.tenant, j.type, j.key from chronawflow.job j join concerned using (tenant, type, key)
    for update of j skip locked
  ), parked as (
    update chronawflow.job j set state = 'waiting', waits_for = 'thaw', owner = null, lease_until = null,
      attempts = j.attempts - (j.state = 'running')::integer
    from free f where j.tenant = f.tenant and j.type = f.type and j.key = f.key
    returning j.key)
  select (select count(*) from concerned)::integer - (select count(*) from parked)::integer as left`;
