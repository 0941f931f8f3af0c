import { expirePreimages, type RecoveryContext, sweepGates, sweepScratch } from '../core/recovery';
import { repeat } from '../core/repeat';
import { failedRound } from './failed-round';
import { isActiveRestore } from './is-active-restore';

const EVERY_MS = 60_000;

/**
 * Takes away, at once and then once a minute, what restores could not: scratch clusters of workers that were killed,
 * triggers whose locks were not to be had, pre-images whose retention is over. Several workers may do it at once. A
 * failed round is logged; the next one tries again, because a worker has to start while a database is away.
 *
 * @returns after the first round: how to stop it, which resolves when a running round has ended.
 */
export async function startSweeper(ctx: RecoveryContext, everyMs = EVERY_MS): Promise<() => Promise<void>> {
  const rounds = repeat(everyMs, () => sweep(ctx), failedRound(ctx.log, 'sweeping'));
  await rounds.now();
  rounds.start('later');
  return rounds.stop;
}

async function sweep(ctx: RecoveryContext): Promise<void> {
  const scratch = await sweepScratch(ctx, (restoreId) => isActiveRestore(ctx.application, restoreId));
  if (scratch.length > 0)
    ctx.log.info({ restores: scratch }, 'scratch clusters of earlier runs were removed');
  const gates = await sweepGates(ctx.application);
  if (gates.length > 0) ctx.log.info({ gates }, 'gates of restores that are over were taken away');
  const expired = await expirePreimages(ctx);
  if (expired.length > 0)
    ctx.log.info({ restores: expired }, 'pre-images were dropped: their retention is over');
}
