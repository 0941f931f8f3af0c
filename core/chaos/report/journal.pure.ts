import type { ChaosFacts, ChaosVerdict } from '../types';

/** A run as Chaos Toolkit writes it (https://chaostoolkit.org/reference/api/journal/), with ours under `chronawflow`. */
export type ExperimentJournal = Readonly<Record<string, unknown>>;

const STATUS: Readonly<Record<ChaosVerdict, string>> = {
  passed: 'completed',
  deviated: 'completed',
  'not-steady': 'failed',
  aborted: 'aborted',
  failed: 'aborted',
  'dry-run': 'completed',
};

export function experimentJournal(
  experiment: Readonly<Record<string, unknown>>,
  facts: ChaosFacts,
  where: {
    readonly node: string;
    readonly platform: string;

    readonly endedAt: string;
  },
): ExperimentJournal {
  return {
    // Which release of Chaos Toolkit's library would have written it: none.
    'chaoslib-version': 'chronawflow',
    platform: where.platform,
    node: where.node,
    experiment,
    start: facts.startedAt,
    status: STATUS[facts.verdict],
    deviated: facts.verdict === 'deviated',
    steady_states: {
      before: facts.before ?? null,
      after: facts.after ?? null,
      during: facts.during === undefined ? [] : [facts.during],
    },
    run: facts.runs,
    rollbacks: facts.rollbacks,
    end: where.endedAt,
    duration: (Date.parse(where.endedAt) - Date.parse(facts.startedAt)) / 1_000,
    chronawflow: {
      verdict: facts.verdict,
      faults: facts.faults,
      abort: facts.abort ?? null,
      load: facts.load ?? null,
      error: facts.error ?? null,
    },
  };
}
