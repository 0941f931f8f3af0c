import { shellWord } from '../core/recovery/shell-word.pure';
import type { RestorePhase, RestorePreview } from '../core/recovery/types';
import type { OperationStatus } from './contract';

const inWords: Readonly<Record<RestorePhase, string>> = {
  starting: 'Checking the request.',
  resolving: 'Finding the target and the backup that leads to it.',
  verifying: 'Verifying the backup and the WAL from it to the target.',
  'restoring-scratch': 'Restoring a scratch cluster to the target.',
  validating: 'Checking that the scratch cluster stands at the target.',
  staging: 'Copying the tenant’s rows at the target beside the live rows.',
  freezing: 'Freezing the tenant: its writes are refused.',
  previewing: 'Comparing the rows at the target with the live rows.',
  'awaiting-approval': 'Waiting for approval.',
  merging: 'Writing the tenant’s rows.',
  unfreezing: 'Letting the tenant write again.',
  reporting: 'Cleaning up.',
  done: 'Done.',
};

/** The Web UI's "current details" of a run, in Markdown: what goes on, what is awaited, how to answer. */
export function describeOperation(
  status: OperationStatus,
  preview: RestorePreview | undefined,
  workflowId: string,
): string {
  const lines = [`**${inWords[status.phase]}**`];
  if (status.outcome !== undefined) lines.push(`Outcome: ${status.outcome}`);
  if (status.restoreId !== undefined) lines.push(`Restore ID: \`${status.restoreId}\``);
  if (status.frozen) lines.push('The tenant is frozen: it reads, and its writes fail until this ends.');
  if (preview !== undefined && status.outcome === undefined) lines.push(describePreview(preview));
  if (status.approval.kind === 'open') {
    const { approval } = status;
    const missing = approval.needed - approval.approvedBy.length;
    const run = shellWord(workflowId);
    lines.push(
      `Awaits ${missing} approval${missing === 1 ? '' : 's'} by someone other than ${approval.requestedBy}` +
        `${approval.approvedBy.length > 0 ? ` (approved by ${approval.approvedBy.join(', ')})` : ''}` +
        `, until ${new Date(approval.deadline).toISOString()}.`,
      `Look: \`chronawflow recovery preview ${run}\``,
      `Approve: \`chronawflow recovery approve ${run} --hash ${approval.diffHash} --as <you>\``,
      `Reject: \`chronawflow recovery reject ${run} --as <you> --reason <why>\``,
    );
  }
  return [...lines, ...status.notices].join('\n\n');
}

function describePreview(preview: RestorePreview): string {
  const { insert, update, delete: gone, unchanged } = preview.totals;
  const counts = `Rows to insert ${insert}, update ${update}, delete ${gone}; unchanged ${unchanged}.`;
  return preview.conflicts.length === 0 ? counts : `${counts} Conflicts: ${preview.conflicts.length}.`;
}
