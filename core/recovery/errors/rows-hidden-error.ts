import { ChronawflowError } from '../../errors';

/** Row level security applies to the role, so it would see and restore only a part of the tenant. */
export class RowsHiddenError extends ChronawflowError {
  readonly code = 'ROWS_HIDDEN';

  constructor(role: string, tables: readonly string[]) {
    super(
      `Row level security hides rows of ${tables.join(', ')} from role ${role}; a restore would see only a part of the tenant.`,
      {
        hint: `As a superuser: alter role ${role} bypassrls`,
        details: { role, tables },
      },
    );
  }
}
