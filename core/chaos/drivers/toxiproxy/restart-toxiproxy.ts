import { setTimeout as sleep } from 'node:timers/promises';
import { withProcessLock } from '../../../cluster';
import { killProcess, type ProcessRef } from '../../lease';
import type { TargetOf } from '../driver';
import { findUnit, startUnit, type Unit } from '../process/unit';
import { ToxiproxyApi } from './toxiproxy-api';

type Toxiproxy = TargetOf<'toxiproxy'>;

const START_LIMIT_MS = 5_000;
const POLL_MS = 50;

/** Its process; undefined while it does not run, and when the target does not say which it is. */
export async function toxiproxyProcess(target: Toxiproxy): Promise<ProcessRef | undefined> {
  const unit = unitOf(target);
  return unit === undefined ? undefined : findUnit(unit);
}

/**
 * Ends a Toxiproxy that hangs and starts it anew, empty. Several ends of faults may want that at the same moment: the first one
 * does it, and the others find another process than the one that failed them, which is left as it is.
 *
 * @param failed the process that did not answer; undefined when none ran
 */
export async function restartToxiproxy(
  target: Toxiproxy,
  failed: ProcessRef | undefined,
  signal: AbortSignal,
): Promise<void> {
  const unit = unitOf(target);
  if (unit === undefined)
    throw new Error('Toxiproxy does not answer, and the target says nothing of its process.');
  await withProcessLock(`${unit.pidFile}.restart`, async () => {
    const now = await findUnit(unit);
    if (now !== undefined && now.pid === failed?.pid && now.startedAt === failed.startedAt)
      await killProcess(now);
    await startUnit(unit);
    await answering(target, signal);
  });
}

async function answering(target: Toxiproxy, signal: AbortSignal): Promise<void> {
  const api = new ToxiproxyApi(target.url, signal);
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    signal.throwIfAborted();
    const answers = await api.proxies().then(
      () => true,
      () => false,
    );
    if (answers) return;
    if (performance.now() > limit) throw new Error('Toxiproxy was started again and does not answer.');
    await sleep(POLL_MS);
  }
}

function unitOf({ pidFile, start }: Toxiproxy): Unit | undefined {
  return pidFile === undefined || start === undefined ? undefined : { pidFile, start };
}
