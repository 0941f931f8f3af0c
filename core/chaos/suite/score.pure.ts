import type { ChaosVerdict } from '../types';

/** One experiment of a suite; `refused` is what never began, with its reason. */
export interface SuiteEntry {
  readonly file: string;
  readonly title: string;
  readonly weight: number;
  readonly verdict: ChaosVerdict | 'refused';
  readonly message?: string;
  readonly durationMs: number;
  readonly residual: number;
}

export interface ResilienceScore {
  /** 0 to 100; undefined when nothing could be judged. */
  readonly score: number | undefined;
  /** Share of the catalogue's weight that was judged, 0 to 1. */
  readonly coverage: number;
}

/** What an experiment says about the system; undefined when it says nothing. */
const WORTH: Readonly<Record<SuiteEntry['verdict'], number | undefined>> = {
  passed: 1,
  // The system needed help, and got it: the experiment was stopped before it did harm.
  aborted: 0.5,
  deviated: 0,
  'not-steady': undefined,
  failed: undefined,
  refused: undefined,
  'dry-run': undefined,
};

/**
 * Score = 100 × Σ weight × worth ÷ Σ weight, over the experiments that were judged: passed 1, aborted ½, deviated 0. Experiments
 * that were refused, failed or met no steady state say nothing of the system; they lower the coverage. A fault that is left makes
 * the score 0, whatever else held.
 */
export function resilienceScore(entries: readonly SuiteEntry[]): ResilienceScore {
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  const judged = entries.filter(({ verdict }) => WORTH[verdict] !== undefined);
  const weight = judged.reduce((sum, one) => sum + one.weight, 0);
  const coverage = total === 0 ? 0 : weight / total;
  if (entries.some(({ residual }) => residual > 0)) return { score: 0, coverage };
  if (weight === 0) return { score: undefined, coverage };
  const worth = judged.reduce((sum, one) => sum + one.weight * (WORTH[one.verdict] ?? 0), 0);
  return { score: Number(((100 * worth) / weight).toFixed(1)), coverage };
}
