import { ChronawflowError } from '../../errors';

/** A change of the registry is not possible as it stands. */
export class StatementRefusedError extends ChronawflowError {
  readonly code = 'STATEMENT_REFUSED';
  override readonly kind = 'refused';

  constructor(reason: string, hint?: string) {
    super(`The registry was not changed: ${reason}.`, { hint });
  }
}
