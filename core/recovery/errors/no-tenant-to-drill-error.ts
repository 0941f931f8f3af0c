import { ChronawflowError } from '../../errors';

/** A drill was asked for without naming a tenant, and there is none to take. */
export class NoTenantToDrillError extends ChronawflowError {
  readonly code = 'NO_TENANT_TO_DRILL';

  constructor(table: string, looked: number) {
    super(
      looked === 0
        ? `There is no tenant to drill: ${table} has no rows.`
        : `There is no tenant to drill: each of the ${looked} that were looked at has an operation under way.`,
      {
        hint: 'Name one with --tenant, or drill again when the operations have ended (`chronawflow recovery status`).',
        details: { table, looked },
      },
    );
  }
}
