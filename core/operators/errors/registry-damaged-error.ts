import { ChronawflowError } from '../../errors';

/** Statements of the registry are missing or were changed: nobody can tell who was revoked. */
export class RegistryDamagedError extends ChronawflowError {
  readonly code = 'REGISTRY_DAMAGED';

  constructor(problem: string) {
    super(`The registry of operators is damaged: ${problem}.`, {
      hint: 'Compare chronawflow.operator_statement with a backup and with the audit log’s events operators.*; docs/operations/control-plane-backup.md.',
      details: { problem },
    });
  }
}
