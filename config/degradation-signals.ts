/** What processes and the controller report by themselves, which way it gets worse, and its best value. */
export const SIGNALS = {
  /** Answered ÷ asked. */
  availability: { worse: 'lower', best: 1 },
  /** Failed ÷ tried. */
  'error-rate': { worse: 'higher', best: 0 },
  /** 95th percentile of requests, in milliseconds. */
  latency: { worse: 'higher', best: 0 },
  /** Share of the time in which the process's event loop was busy. */
  saturation: { worse: 'higher', best: 0 },
  /** Age of the oldest job that could run, in milliseconds; of those that the level holds, none counts. */
  'queue-age': { worse: 'higher', best: 0 },
  /** Services whose breaker is open for all processes. */
  'open-breakers': { worse: 'higher', best: 0 },
  /** Of the application's standbys, in milliseconds. */
  'replication-lag': { worse: 'higher', best: 0 },
  /** Failed ÷ tried of the calls to other services. */
  'call-error-rate': { worse: 'higher', best: 0 },
  /** 95th percentile of the calls to other services, in milliseconds. */
  'call-latency': { worse: 'higher', best: 0 },
  /** Score of the health checks, from 1 to 0. */
  health: { worse: 'lower', best: 1 },
} as const satisfies Readonly<Record<string, SignalKind>>;

export interface SignalKind {
  readonly worse: 'higher' | 'lower';
  /** No value can be better; undefined where nobody knows. */
  readonly best?: number;
}

/** Whether `a` is worse than `b`. */
export function isWorse(kind: SignalKind, a: number, b: number): boolean {
  return kind.worse === 'higher' ? a > b : a < b;
}

export function signalKind(name: string, own: Readonly<Record<string, SignalKind>>): SignalKind | undefined {
  if (Object.hasOwn(own, name)) return own[name];
  return Object.entries(SIGNALS).find(([known]) => known === name)?.[1];
}
