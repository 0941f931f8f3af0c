/**
 * `import { CircuitBreaker } from 'chronawflow/protection'`: protection inside one process. Nothing here loads Temporal;
 * what keeps state in the control-plane database takes a `pg` pool from its caller.
 */
export { ChronawflowError, type ErrorKind, InvalidInputError, RefusalError } from '../core/errors';
export * from '../core/protection';
