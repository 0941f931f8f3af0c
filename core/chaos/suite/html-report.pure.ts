import type { ChaosReport } from '../types';
import type { ResilienceScore, SuiteEntry } from './score.pure';
import { timelineChart } from './timeline-chart.pure';

export interface SuiteRun {
  readonly at: string;
  readonly seed: number | undefined;
  readonly entries: readonly SuiteEntry[];
  readonly score: ResilienceScore;
}

/** One page without anything from elsewhere: the table, the trend of the score, and a chart for each experiment under load. */
export function htmlReport(
  run: SuiteRun,
  reports: ReadonlyMap<string, ChaosReport>,
  history: readonly { readonly at: string; readonly score: number | undefined }[],
): string {
  const { score, coverage } = run.score;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Chaos suite ${text(run.at)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; color: #222 }
table { border-collapse: collapse; width: 100% } td, th { padding: .3rem .6rem; border-bottom: 1px solid #ddd; text-align: left }
.passed { color: #17692f } .deviated, .failed { color: #b3261e } .aborted { color: #8a5300 } .number { text-align: right }
svg { width: 100%; height: auto } figcaption { color: #555 }
</style>
<h1>Chaos suite</h1>
<p>${text(run.at)}${run.seed === undefined ? '' : `, seed ${run.seed}`}. Resilience score <strong>${score ?? 'none'}</strong> of 100,
coverage ${(coverage * 100).toFixed(0)} %. The formula is in docs/resilience/chaos.md.</p>
<p>Scores so far: ${history.map((one) => `${text(one.at.slice(0, 10))}: ${one.score ?? 'none'}`).join(' · ')}</p>
<table><tr><th>experiment<th>verdict<th class="number">seconds<th class="number">weight<th>
${run.entries.map(row).join('\n')}
</table>
${run.entries.map((entry) => chart(entry, reports.get(entry.file))).join('\n')}
</html>
`;
}

function row({ title, file, verdict, message, durationMs, weight }: SuiteEntry): string {
  return `<tr><td>${text(title)}<br><small>${text(file)}</small><td class="${verdict}">${verdict}<td class="number">${(durationMs / 1_000).toFixed(1)}<td class="number">${weight}<td>${text(message ?? '')}`;
}

function chart(entry: SuiteEntry, report: ChaosReport | undefined): string {
  const drawing = report === undefined ? undefined : timelineChart(report);
  if (drawing === undefined) return '';
  return `<figure><h2>${text(entry.title)}</h2>${drawing}<figcaption>p95 latency (line), failed requests (bars), level of degradation (steps), faults (shaded), on one time axis.</figcaption></figure>`;
}

function text(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
