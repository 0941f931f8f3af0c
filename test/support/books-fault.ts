import { setTimeout as sleep } from 'node:timers/promises';
import { levelAt } from '../../core/degradation/policy.pure';
import { readingsOf } from '../../core/degradation/readings.pure';
import { samplesOf } from '../../core/degradation/store/read-processes';
import { type BooksFleet, startBooksFleet } from './books-fleet';
import { startBooksLoad } from './books-load';
import { BOOKS_SECTION } from './books-section';
import { policyWith } from './degradation-policy';
import { until } from './until';

/** What the slow service did to the core, and how long the platform took. */
export interface BooksFault {
  /** Of the core requests that ended while the service was slow, as `BooksLoad.take` counts them. */
  readonly coreServedPct: number;
  readonly coreAsked: number;
  /** From the first report beyond a threshold to the last process that had applied the level, in intervals. */
  readonly detectToAppliedIntervals?: number;
  /** From the end of the fault until every process was at normal again. */
  readonly backToNormalMs?: number;
}

const policy = policyWith(BOOKS_SECTION);

/** The service that reports ask takes so long, many times what a user waits. */
const SLOW_MS = 4_000;
const WARM_UP_MS = 3_000;

/** Runs AccuBooks under load, slows the service down for `faultMs`, and waits until all is as it was. */
export async function runBooksFault(platform: boolean, faultMs: number): Promise<BooksFault> {
  const fleet = await startBooksFleet({ section: BOOKS_SECTION, platform });
  const load = startBooksLoad(fleet.ports);
  try {
    await until(() => load.take().core.answered > 0, { limitMs: 60_000, what: 'the first answers' });
    await load.run(WARM_UP_MS);
    // Starting is a fault as well: the first requests are slow.
    const before = platform ? await normalEverywhere(fleet) : 0;
    load.take();
    const mend = await fleet.dependency.add({ type: 'latency', attributes: { latency: SLOW_MS } });
    const reaction = platform ? reactionOf(fleet, before) : undefined;
    await load.run(faultMs);
    const { core } = load.take();
    await mend();
    const mendedAt = performance.now();
    const detectToAppliedIntervals = await reaction;
    if (platform) await normalEverywhere(fleet);
    return {
      coreServedPct: (core.answered / core.asked) * 100,
      coreAsked: core.asked,
      ...(platform && { detectToAppliedIntervals, backToNormalMs: performance.now() - mendedAt }),
    };
  } finally {
    await load.stop();
    await fleet.stop();
  }
}

/** How often the control plane is looked into: a tenth of an interval. */
const LOOK_MS = policy.intervalMs / 10;

/** @param before the version that was in force when the fault began. */
async function reactionOf({ store }: BooksFleet, before: number): Promise<number> {
  const first = levelAt(policy, 1);
  let detectedAt: number | undefined;
  let applied = false;
  await until(
    async () => {
      await sleep(LOOK_MS);
      const processes = await store.processes(policy.staleAfterMs);
      const readings = readingsOf(policy, samplesOf(processes, 'platform'));
      const beyond = first.when.some(({ signal, worse, enter }) => {
        const value = readings[signal]?.value;
        return value !== undefined && (worse === 'higher' ? value >= enter : value <= enter);
      });
      if (beyond) detectedAt ??= performance.now();
      applied = processes.length > 0 && processes.every((one) => (one.applied.platform ?? 0) > before);
      return detectedAt !== undefined && applied;
    },
    { limitMs: 60_000, what: 'the level to be applied by every process' },
  );
  return (performance.now() - (detectedAt ?? Number.NaN)) / policy.intervalMs;
}

/** Waits until no process is at another level than normal. @returns the version of it */
async function normalEverywhere({ store }: BooksFleet): Promise<number> {
  let version = 0;
  await until(
    async () => {
      await sleep(LOOK_MS);
      const [level] = await store.assessed();
      if (level?.rank !== 0) return false;
      version = level.version;
      const processes = await store.processes(policy.staleAfterMs);
      return processes.every((one) => (one.applied.platform ?? 0) >= version);
    },
    { limitMs: 180_000, what: 'every process to be at normal' },
  );
  return version;
}
