import { closest } from 'fastest-levenshtein';
import { ChronawflowError } from '../errors';

/** Nobody declared or found a part of this name. */
export class UnknownDomainError extends ChronawflowError {
  readonly code = 'UNKNOWN_DOMAIN';
  override readonly kind = 'usage';

  constructor(name: string, known: readonly string[]) {
    super(`There is no part '${name}' in the graph of failure domains.`, {
      hint:
        known.length === 0
          ? 'Declare parts under `failureDomains.nodes`.'
          : `Did you mean '${closest(name, known)}'? \`chronawflow domains list\` shows all.`,
      details: { name },
    });
  }
}
