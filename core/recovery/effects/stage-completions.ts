import { pipeline } from 'node:stream/promises';
import type { ClientBase, Pool } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { inTransaction, quoteLiteral } from '../../../database';
import type { RecoveryContext, StepControl } from '../engine';
import { readScratch } from '../scratch/read-scratch';
import { COPIED, completionsTable } from './undone-sql.pure';

/** Statements that list what was completed, by the table they read. */
const SOURCES: Readonly<Record<string, (whose: string) => string>> = {
  'chronawflow.idempotency': (whose) =>
    `select tenant, 'record', scope, key, owner from chronawflow.idempotency where state = 'completed' and ${whose}`,
  'chronawflow.job': (whose) =>
    `select tenant, 'job', type, key, coalesce(owner, '') from chronawflow.job where state = 'done' and ${whose}`,
};

/** A copy's text indexes may be sorted by another version of the collation than they are searched with. */
const READ_WITHOUT_INDEXES =
  'set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off';

/** Copies the names of what the tenant had completed at the target: who did each, and not what came of it. */
export async function stageCompletions(
  ctx: RecoveryContext,
  restoreId: string,
  tenant: string,
  scratch: Pool,
  control: StepControl,
): Promise<void> {
  control.progress?.({ step: 'staging what was completed at the target' });
  const table = completionsTable(restoreId);
  await inTransaction(ctx.application, async (tx) => {
    await tx.query(`drop table if exists ${table}; create unlogged table ${table} ${COLUMNS}`);
    // COPY takes no parameters.
    const whose = `tenant = ${quoteLiteral(tenant)}::text`;
    await copyCompletions(scratch, tx, table, whose, control);
    await tx.query(`insert into ${table} values ('', '${COPIED}', '', '', '')`);
  });
}

const COLUMNS =
  '(tenant text not null, kind text not null, scope text not null, key text not null, owner text not null)';

/** Into a table that only this transaction sees: of all tenants. */
export async function copyAllCompletions(
  scratch: Pool,
  tx: ClientBase,
  table: string,
  control: StepControl,
): Promise<void> {
  await tx.query(`create temporary table ${table} ${COLUMNS} on commit drop`);
  await copyCompletions(scratch, tx, table, 'true', control);
}

async function copyCompletions(
  scratch: Pool,
  sink: ClientBase,
  table: string,
  whose: string,
  control: StepControl,
): Promise<void> {
  await readScratch(scratch, async (source) => {
    await source.query(READ_WITHOUT_INDEXES);
    for (const [name, list] of Object.entries(SOURCES)) {
      // A target from before the table was made has nothing in it.
      const { rows } = await source.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
        name,
      ]);
      if (!rows[0]?.there) continue;
      const reading = source.query(copyTo(`copy (${list(whose)}) to stdout`));
      await pipeline(reading, sink.query(copyFrom(`copy ${table} from stdin`)), { signal: control.signal });
    }
  });
  await sink.query(`create unique index on ${table} (tenant, kind, scope, key); analyze ${table}`);
}
