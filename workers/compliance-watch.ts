import type { RecoveryMetrics } from '../activities/recovery-metrics';
import { checkCompliance, type RecoveryContext, recordBreaches } from '../core/recovery';
import { repeat } from '../core/repeat';
import { failedRound } from './failed-round';

/** A look at the repository's listing each time, which costs a process of pgBackRest. */
const EVERY_MS = 5 * 60_000;
const OFTEN_MS = 5_000;

/** Twice within the shortest RPO, so that it is not missed for long before somebody looks; bounded both ways. */
export function watchInterval(rpos: readonly number[]): number {
  return Math.min(EVERY_MS, Math.max(OFTEN_MS, Math.min(...rpos) / 2));
}

/**
 * Holds what is restorable, and the last restores, against the objectives once in a while: between two restores nobody
 * else would notice that the archive has stopped. What is missed is a metric and an event. A failed look is logged and
 * takes the figures away until the next one.
 *
 * @returns how to stop it, which resolves when a running look has ended.
 */
export function watchCompliance(
  ctx: RecoveryContext,
  metrics: RecoveryMetrics,
  everyMs = watchInterval(Object.values(ctx.config.objectives.tiers).map(({ rpo }) => rpo)),
): () => Promise<void> {
  if (Object.keys(ctx.config.objectives.tiers).length === 0) return async () => {};
  const tell = failedRound(ctx.log, 'checking the objectives');
  const looks = repeat(
    everyMs,
    () => look(ctx, metrics),
    (error) => {
      metrics.compliance(undefined);
      tell(error);
    },
  );
  looks.start('later');
  return looks.stop;
}

async function look(ctx: RecoveryContext, metrics: RecoveryMetrics): Promise<void> {
  const report = await checkCompliance(ctx);
  metrics.compliance(report);
  await recordBreaches(ctx, report, { actor: 'chronawflow' });
}
