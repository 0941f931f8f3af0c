import { quoteIdentifier, quoteQualified } from '../../../database';
import { imageColumn } from '../diff/image.pure';
import type { PlanTable } from './plan-types';
import { stageTable } from './restore-tables.pure';

/** Domains are staged as their base type: today's domain may refuse yesterday's value, which the preview then names. */
export function createStageSql(restoreId: string, table: PlanTable): string {
  const columns = table.columns.map(({ name, type, storageType }) => {
    const quoted = quoteIdentifier(name);
    return type === storageType ? quoted : `${quoted}::${storageType} as ${quoted}`;
  });
  const images = imageColumn(table).map((name) => `null::bytea as ${quoteIdentifier(name)}`);
  return `create unlogged table ${stageTable(restoreId, table)} as select ${[...columns, ...images].join(', ')} from ${quoteQualified(table)} with no data`;
}
