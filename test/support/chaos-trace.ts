import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hostTime } from '../../core/chaos/lease';
import type { ChaosStage } from './chaos-stage';

/** By the time since boot. */
const deaths: { readonly who: string; readonly atMs: number }[] = [];

/** What one lane kills may be what another one waits for. */
export function noteDeath(who: string): void {
  deaths.push({ who, atMs: hostTime().uptimeMs });
}

/** Deaths from so long before a lease's end on can have to do with it. */
const BEFORE_MS = 2_500;

/** Where the time went between a lease's end and its fault's: in milliseconds since then, by the journal's own files. */
export async function traceEnd(stage: ChaosStage, leaseId: string, leaseEnd: number): Promise<string> {
  const { journal } = stage.host;
  const bootMs = Date.now() - hostTime().uptimeMs;
  const place = join(journal.directory, 'ended', leaseId);
  const ending = await stat(join(place, 'ending')).catch(() => undefined);
  const ended = await journal.ended(leaseId);
  const around = deaths
    .map(({ who, atMs }) => ({ who, at: atMs - leaseEnd }))
    .filter(({ at }) => at > -BEFORE_MS && at < (ended?.endedMs ?? Number.POSITIVE_INFINITY) - leaseEnd);
  return [
    `its end begun ${ending === undefined ? 'never' : Math.round(ending.mtimeMs - bootMs - leaseEnd)}`,
    `proved ${ended === undefined ? 'never' : `${ended.endedMs - leaseEnd} by ${ended.by}`}`,
    `deaths: ${around.map(({ who, at }) => `${who} ${at}`).join(', ') || 'none'}`,
  ].join('; ');
}
