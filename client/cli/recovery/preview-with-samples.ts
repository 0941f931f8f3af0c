import { messageOf } from '../../../core/errors';
import type { ChangesPage } from '../../../core/recovery';
import type { RestorePreview } from '../../../core/recovery/types';
import type { Chronawflow } from '../../chronawflow';
import { previewPage } from '../pages/preview-page';
import { type Samples, samplesPage } from '../pages/samples-page';

const TABLES = 8;
const ROWS = 2;

/** The preview as a page, with a few changed rows of each table. */
export async function previewWithSamples(
  cf: Chronawflow,
  preview: RestorePreview,
  workflowId: string,
): Promise<string[]> {
  return [...previewPage(preview, workflowId), ...samplesPage(await samplesOf(cf, preview))];
}

/**
 * The first changed rows of each changed table. They are read from the application's database, which this machine may not
 * reach, and which has them only until the restore ends: neither keeps the preview itself from being shown.
 */
export async function samplesOf(cf: Chronawflow, preview: RestorePreview): Promise<Samples> {
  const changed = preview.tables
    .filter((table) => table.insert + table.update + table.delete > 0)
    .slice(0, TABLES);
  try {
    const pages: ChangesPage[] = [];
    for (const { table } of changed)
      pages.push(await cf.recovery.changes(preview.restoreId, { table, limit: ROWS }));
    return { kind: 'rows', pages };
  } catch (error) {
    return { kind: 'unreadable', reason: messageOf(error) };
  }
}
