import type { ChaosReport, SteadyState } from '../types';

/** Why a run did not pass, in one line; undefined when there is nothing to say. */
export function shortfall(
  report: Pick<ChaosReport, 'abort' | 'error' | 'before' | 'during' | 'after'>,
): string | undefined {
  const { abort, error, before, during, after } = report;
  return (
    abort?.reason ??
    error?.message ??
    missing('there was no steady state before', before) ??
    missing('did not come true during the faults', during) ??
    missing('did not come back afterwards', after)
  );
}

function missing(what: string, state: SteadyState | undefined): string | undefined {
  if (state === undefined || state.steady_state_met) return undefined;
  const names = state.probes
    .filter(({ tolerance_met }) => tolerance_met !== true)
    .map(
      ({ activity, exception, output }) => `${String(activity.name)} (${exception?.[0] ?? brief(output)})`,
    );
  return `${what}: ${names.join(', ')}`;
}

const MOST_CHARACTERS = 200;

function brief(output: unknown): string {
  const shown = typeof output === 'object' && output !== null && 'body' in output ? output.body : output;
  const text = JSON.stringify(shown) ?? 'no answer';
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
