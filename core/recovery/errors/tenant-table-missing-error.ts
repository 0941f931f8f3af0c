import { ChronawflowError } from '../../errors';

/** The configured tenant table, or its key column, is not in the application's database. */
export class TenantTableMissingError extends ChronawflowError {
  readonly code = 'TENANT_TABLE_MISSING';
  override readonly kind = 'usage';

  constructor(table: string, key: string) {
    super(`The application's database has no table ${table} with a column ${key}.`, {
      hint: 'Name the table with one row per tenant in tenancy.table, and its key in tenancy.key (chronawflow.yaml).',
      details: { table, key },
    });
  }
}
