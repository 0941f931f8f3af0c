import type { JobsScene } from './scene';

/** The slots limit, not the server: ten slots at this time are far below its rate. */
export const NOISY_SLOTS = 10;
/** Jobs of the tenant that comes when another one's backlog stands. */
export const OF_B = 20;
export const WATCHED_TENANT = 't2';

export interface NoisyRun {
  /** B's 95th percentile from its submission to its job's end, in milliseconds. */
  readonly p95Ms: number;
  /** Jobs of both per second, while B was served and A had a backlog. */
  readonly rate: number;
}

/** Counts ends of jobs from when B's are submitted; plain first-in-first-out would take B to the end of A's queue. */
export interface Watch {
  /** Resolves when A's jobs are under way at the pace that they keep: no side is measured while it sets out. */
  readonly underWay: Promise<void>;
  /** B's jobs were asked for. */
  begin(): void;
  /** Resolves when all of B's have ended, or the window is over. */
  readonly over: Promise<NoisyRun>;
}

/** Nobody waits for A's whole backlog: a job of B that has not ended by then counts with the time it would still take. */
const WINDOW_JOBS = 120;
/** Every slot has had two jobs by then. */
const SET_OUT_JOBS = 2 * NOISY_SLOTS;

export function watch(scene: JobsScene, ofA: number): Watch {
  let began = Number.NaN;
  let before = 0;
  let ended = 0;
  let last = Number.NaN;
  const ofB: number[] = [];
  let finish: (run: NoisyRun) => void = () => undefined;
  let setOut: () => void = () => undefined;
  const underWay = new Promise<void>((resolve) => {
    setOut = resolve;
  });
  const over = new Promise<NoisyRun>((resolve) => {
    finish = resolve;
  });
  scene.shared.onWorked = (tenant) => {
    if (Number.isNaN(began)) {
      before += 1;
      if (before === SET_OUT_JOBS) setOut();
      return;
    }
    last = performance.now();
    ended += 1;
    if (tenant === WATCHED_TENANT) ofB.push(last - began);
    if (ended < WINDOW_JOBS) return;
    scene.shared.onWorked = () => undefined;
    const rate = ended / ((last - began) / 1_000);
    // First in, first out: the rest of B comes after all of A.
    const behindA = (ofA / rate) * 1_000;
    const times = [...ofB, ...Array.from({ length: OF_B - ofB.length }, () => behindA)];
    finish({ p95Ms: times.sort((a, b) => a - b)[Math.ceil(OF_B * 0.95) - 1] ?? behindA, rate });
  };
  return {
    underWay,
    begin: () => {
      began = performance.now();
    },
    over,
  };
}
