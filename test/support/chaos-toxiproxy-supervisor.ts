import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChaosStage } from './chaos-stage';

/** What the checker says of a killed Toxiproxy until somebody has brought it back with its proxies. */
export function isToxiproxyGone(found: string | undefined): boolean {
  return found === 'Toxiproxy does not answer' || /^the proxy \S+ is missing$/.test(found ?? '');
}

/** From the look that proves a fault's end until it is noted, on a busy machine. */
const PROOF_TO_NOTE_MS = 250;

/**
 * The supervisor of a Toxiproxy that was killed while nobody had to bring it back: no fault of it was open, and the last one had
 * been proved to be gone before. In every other case the end of a fault has to, and this does nothing: what is missing then is
 * the checker's to find.
 *
 * @returns whether it was its turn
 */
export async function superviseToxiproxy(stage: ChaosStage): Promise<boolean> {
  const { killedMs } = stage.toxiproxy;
  if (killedMs === undefined) return false;
  const { leases } = await stage.host.journal.all();
  if (leases.some(({ driver }) => driver.startsWith('toxiproxy.'))) return false;
  if (killedMs < (await lastEndMs(stage)) - PROOF_TO_NOTE_MS) return false;
  await stage.toxiproxy.revive();
  return true;
}

const known = new Map<string, number>();

async function lastEndMs({ host: { journal } }: ChaosStage): Promise<number> {
  const ids = await readdir(join(journal.directory, 'ended')).catch(() => []);
  for (const id of ids) {
    if (known.has(id)) continue;
    const ended = await journal.ended(id);
    if (ended !== undefined)
      known.set(id, ended.lease.driver.startsWith('toxiproxy.') ? ended.endedMs : Number.NEGATIVE_INFINITY);
  }
  return Math.max(Number.NEGATIVE_INFINITY, ...ids.map((id) => known.get(id) ?? Number.NEGATIVE_INFINITY));
}
