import { shellWord } from '../../../core/recovery/shell-word.pure';
import type { Chronawflow } from '../../chronawflow';
import type { OperationRun } from '../../operation-run';
import { interruptible } from '../interruptible';
import type { Output } from '../output';
import { approvalLines } from '../pages/preview-page';
import { exitCodeOf, reportPage } from '../pages/report-page';
import { type Progress, progressOf } from '../progress';
import { goesOn } from './goes-on';
import { previewWithSamples } from './preview-with-samples';

/**
 * Watches a run to its end: phases as they pass, the preview when people are asked about it, the report. Ctrl-C stops
 * watching only; the run goes on.
 */
export async function follow(cf: Chronawflow, run: OperationRun, out: Output): Promise<void> {
  const progress = await progressOf(out.json);
  try {
    await interruptible(
      () => goesOn(run.workflowId),
      (signal) => watch(cf, run, out, progress, signal),
    );
  } finally {
    progress.close();
  }
}

async function watch(
  cf: Chronawflow,
  run: OperationRun,
  out: Output,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  let shownHash: string | undefined;
  for (;;) {
    const status = await run.until(
      ({ approval }) => approval.kind === 'open' && approval.diffHash !== shownHash,
      { onStatus: progress.show, signal },
    );
    if (status.outcome !== undefined || status.approval.kind !== 'open') break;
    shownHash = status.approval.diffHash;
    const preview = await run.currentPreview();
    if (preview === undefined) continue;
    progress.close();
    out.page([
      '',
      ...(await previewWithSamples(cf, preview, run.workflowId)),
      ...approvalLines(run.workflowId, status.approval, run.webUrl),
      '',
    ]);
  }
  const report = await run.result();
  progress.close();
  out.result(report, () => ['', ...reportPage(report)]);
  process.exitCode = exitCodeOf(report.outcome);
}

/** After the start: watch, or say how to come back to it. */
export async function startedRun(
  cf: Chronawflow,
  run: OperationRun,
  out: Output,
  wait: boolean,
): Promise<void> {
  const { workflowId, webUrl } = run;
  if (!wait) {
    out.result({ workflowId, webUrl }, () => [
      `${workflowId} has started.`,
      `  status   chronawflow recovery status ${shellWord(workflowId)}`,
      `  preview  chronawflow recovery preview ${shellWord(workflowId)}`,
      ...(webUrl === undefined ? [] : [`  Web UI   ${webUrl}`]),
    ]);
    return;
  }
  out.note(`${workflowId}${webUrl === undefined ? '' : `\n${webUrl}`}`);
  await follow(cf, run, out);
}
