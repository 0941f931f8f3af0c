import { ChronawflowError } from '../../errors';

/** The role lacks rights that the restore needs, or row level security would hide rows from it. */
export class RightsMissingError extends ChronawflowError {
  readonly code = 'RIGHTS_MISSING';

  constructor(role: string, missing: readonly string[]) {
    super(`Role ${role} cannot restore tenants: ${missing.join('; ')}.`, {
      hint: 'Run deploy/postgres/application-role.sql again as a superuser; `chronawflow doctor` checks the result.',
      details: { role, missing },
    });
  }
}
