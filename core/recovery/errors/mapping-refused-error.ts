import { ChronawflowError } from '../../errors';

/** A decision gives a column another value in a way that could not be proved safe, or that its type refuses. */
export class MappingRefusedError extends ChronawflowError {
  readonly code = 'MAPPING_REFUSED';
  override readonly kind = 'usage';

  constructor(
    mapping: { readonly table: string; readonly conflict: string; readonly column: string },
    reason: string,
    cause?: unknown,
  ) {
    const { table, conflict, column } = mapping;
    super(`${table}.${column} cannot be mapped for ${conflict}: ${reason}. Nothing was changed.`, {
      cause,
      hint: 'Start again with another rule or column, or with skip; docs/operations/restore-a-tenant.md lists what can be mapped.',
      details: { table, kind: conflict, column, reason },
    });
  }
}
