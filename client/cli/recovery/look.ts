import type { Command } from 'commander';
import type { Chronawflow } from '../../chronawflow';
import { changesPage } from '../pages/changes-page';
import { approvalLines, previewPage } from '../pages/preview-page';
import { reportPage } from '../pages/report-page';
import { samplesPage } from '../pages/samples-page';
import { recentPage, statusPage } from '../pages/status-page';
import { undoneRowsPage } from '../pages/undone-page';
import { type CommonOptions, inSession, withCommonOptions } from '../session';
import { wholeNumber } from './options';
import { samplesOf } from './preview-with-samples';

interface PreviewOptions extends CommonOptions {
  readonly table?: string;
  readonly undone?: boolean;
  readonly offset: number;
  readonly limit: number;
}

/** A page for people; all for programs. */
function undoneOf(cf: Chronawflow, restoreId: string, { json, offset, limit }: PreviewOptions) {
  return cf.recovery.undone(restoreId, json ? { limit: ALL } : { offset, limit });
}

/** More than a restore is expected to have, and a bound all the same. */
const ALL = 1_000_000;

/** `chronawflow recovery preview|status|report`: commands that only look. */
export function registerLook(recovery: Command): void {
  withCommonOptions(recovery.command('preview'))
    .description('what the merge would do; waits until that is known')
    .argument('<run>', 'workflow ID or restore ID')
    .option('--table <schema.table>', 'show the changed rows of one table, a page at a time')
    .option(
      '--undone',
      'show the jobs and requests whose effects are undone, a page at a time; with --json all',
    )
    .option('--offset <n>', 'first row of the page', wholeNumber, 0)
    .option('--limit <n>', 'rows of a page, at most 500', wholeNumber, 20)
    .addHelpText(
      'after',
      '\nExample:\n  $ chronawflow recovery preview restore/acme/20261123t101500-9f3a --table public.invoice',
    )
    .action(async (reference: string, options: PreviewOptions) =>
      inSession(options, async ({ cf, out }) => {
        const run = await cf.recovery.find(reference);
        const preview = await run.preview();
        if (options.table !== undefined) {
          const { table, offset, limit } = options;
          const page = await cf.recovery.changes(preview.restoreId, { table, offset, limit });
          out.result(page, () => changesPage(page, offset));
          return;
        }
        if (options.undone) {
          const rows = await undoneOf(cf, preview.restoreId, options);
          out.result({ undone: rows }, () => undoneRowsPage(rows));
          return;
        }
        const { approval } = await run.status();
        const samples = await samplesOf(cf, preview);
        out.result({ ...preview, samples }, () => [
          ...previewPage(preview, run.workflowId),
          ...samplesPage(samples),
          ...(approval.kind === 'open' ? approvalLines(run.workflowId, approval, run.webUrl) : []),
        ]);
      }),
    );

  withCommonOptions(recovery.command('status'))
    .description('where a restore stands; without an argument, the newest ones')
    .argument('[run]', 'workflow ID or restore ID')
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery status')
    .action(async (reference: string | undefined, options: CommonOptions & { readonly limit: number }) =>
      inSession(options, async ({ cf, out }) => {
        if (reference === undefined) {
          const restores = await cf.recovery.recent(options.limit);
          out.result({ restores }, () => recentPage(restores));
          return;
        }
        const run = await cf.recovery.find(reference);
        const status = await run.status();
        out.result({ workflowId: run.workflowId, webUrl: run.webUrl, ...status }, () =>
          statusPage(status, run.workflowId, run.webUrl),
        );
      }),
    );

  withCommonOptions(recovery.command('report'))
    .description('the stored report of a restore that has ended')
    .argument('<restore-id>', 'r and twelve hexadecimal digits')
    .addHelpText('after', '\nExample:\n  $ chronawflow recovery report r0123456789ab --json')
    .action(async (restoreId: string, options: CommonOptions) =>
      inSession(options, async ({ cf, out }) => {
        const report = await cf.recovery.report(restoreId);
        out.result(report, () => reportPage(report));
      }),
    );
}
