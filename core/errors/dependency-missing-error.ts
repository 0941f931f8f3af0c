import { ChronawflowError } from './chronawflow-error';

/** A program, server or right that the operation needs is not there. The hint says how to get it. */
export class DependencyMissingError extends ChronawflowError {
  readonly code = 'DEPENDENCY_MISSING';
}
