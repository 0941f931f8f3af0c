import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadSecond } from '../types';
import { percentile } from './percentile.pure';

export interface LoadOptions {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Requests under way at once; those beyond it wait, and their waiting counts. */
  readonly maxInFlight: number;
  /** @returns whether it was answered well. */
  readonly request: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly seconds: readonly Omit<LoadSecond, 'level'>[];
}

/**
 * Sends requests at a fixed rate, whatever becomes of them, and measures each from the moment it was due: a server that stands
 * still for a second is late for every request of that second, not for one. Source: Gil Tene, "How NOT to Measure Latency"
 * (coordinated omission).
 *
 * @returns milliseconds; requests that the signal cut off are not counted
 */
export async function openLoop(options: LoadOptions): Promise<LoadResult> {
  const answers: Answer[] = [];
  const begun = performance.now();
  const begunAt = Date.now();
  const running = new Set<Promise<void>>();
  const total = Math.floor((options.ratePerSecond * options.durationMs) / 1_000);
  for (let at = 0; at < total && !options.signal.aborted; at += 1) {
    const due = begun + (at * 1_000) / options.ratePerSecond;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait, undefined, { signal: options.signal }).catch(() => undefined);
    while (running.size >= options.maxInFlight && !options.signal.aborted) await Promise.race(running);
    if (options.signal.aborted) break;
    const one = options
      .request()
      .catch(() => false)
      .then((good) => {
        if (options.signal.aborted) return;
        answers.push({ second: Math.floor((due - begun) / 1_000), ms: performance.now() - due, good });
      })
      .finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
  const latencies = answers.map(({ ms }) => ms);
  const [p50 = 0, p95 = 0, p99 = 0] = [0.5, 0.95, 0.99].map((share) => round(percentile(latencies, share)));
  return {
    requests: answers.length,
    failed: failures(answers),
    p50,
    p95,
    p99,
    seconds: bySecond(answers, begunAt),
  };
}

interface Answer {
  /** In which second of the load it was due. */
  readonly second: number;
  readonly ms: number;
  readonly good: boolean;
}

function failures(answers: readonly Answer[]): number {
  return answers.filter(({ good }) => !good).length;
}

function bySecond(answers: readonly Answer[], begunAt: number): LoadResult['seconds'] {
  const seconds = new Map<number, Answer[]>();
  for (const answer of answers) seconds.set(answer.second, [...(seconds.get(answer.second) ?? []), answer]);
  return [...seconds.entries()]
    .sort(([a], [b]) => a - b)
    .map(([second, own]) => ({
      at: new Date(begunAt + second * 1_000).toISOString(),
      requests: own.length,
      failed: failures(own),
      p95: round(
        percentile(
          own.map(({ ms }) => ms),
          0.95,
        ),
      ),
    }));
}

function round(ms: number): number {
  return Number(ms.toFixed(1));
}
