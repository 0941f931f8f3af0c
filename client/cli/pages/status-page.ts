import type { JournalEntry } from '../../../core/recovery/restore-journal';
import type { OperationStatus } from '../../../workflows/contract';
import { duration, facts, table } from './format';
import { phaseInWords } from './phases';
import { approvalLines } from './preview-page';

/** Where one run stands. */
export function statusPage(
  status: OperationStatus,
  workflowId: string,
  webUrl: string | undefined,
): string[] {
  return [
    ...facts([
      ['workflow', workflowId],
      ['restore', status.restoreId],
      ['tenant', status.tenant],
      ['phase', `${phaseInWords(status.phase)} (since ${status.since})`],
      ['outcome', status.outcome],
      ['tenant frozen', status.frozen ? 'yes' : 'no'],
      [
        'so far',
        status.steps.map((step) => `${phaseInWords(step.phase)} ${duration(step.ms)}`).join(', ') ||
          undefined,
      ],
    ]),
    ...status.notices.map((notice) => `! ${notice}`),
    ...(status.approval.kind === 'open' ? approvalLines(workflowId, status.approval, webUrl) : []),
  ];
}

/** The newest operations, for somebody who does not know a workflow ID. */
export function recentPage(entries: readonly JournalEntry[]): string[] {
  if (entries.length === 0) return ['No restore has been made yet.'];
  return table(
    ['restore', 'tenant', 'kind', 'phase', 'started', 'by', 'workflow'],
    entries.map((entry) => [
      entry.id,
      entry.tenant ?? '',
      entry.kind,
      entry.outcome ?? phaseInWords(entry.phase),
      entry.startedAt,
      entry.requestedBy,
      entry.workflowId,
    ]),
    7,
  );
}
