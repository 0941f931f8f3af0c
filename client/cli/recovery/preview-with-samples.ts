import { ChronawflowError } from '../../../core/errors';
import type { ChangesPage } from '../../../core/recovery';
import type { RestorePreview } from '../../../core/recovery/types';
import type { Chronawflow } from '../../chronawflow';
import { previewPage } from '../pages/preview-page';
import { samplesPage } from '../pages/samples-page';

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

/** The first changed rows of each changed table; none when the restore has ended, because its rows are gone then. */
export async function samplesOf(cf: Chronawflow, preview: RestorePreview): Promise<ChangesPage[]> {
  const changed = preview.tables
    .filter((table) => table.insert + table.update + table.delete > 0)
    .slice(0, TABLES);
  const samples: ChangesPage[] = [];
  for (const { table } of changed) {
    try {
      samples.push(await cf.recovery.changes(preview.restoreId, { table, limit: ROWS }));
    } catch (error) {
      if (error instanceof ChronawflowError && error.code === 'RESTORE_CLOSED') return [];
      throw error;
    }
  }
  return samples;
}
