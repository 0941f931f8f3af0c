export { ADVISORY_LOCKS } from './advisory-locks';
export { type QualifiedName, quoteIdentifier, quoteList, quoteLiteral, quoteQualified } from './identifiers';
export { Listener } from './listener';
export { applyMigrations, type Plane } from './migrate';
export { type ConnectionSettings, createClient, createPool, type PoolOptions } from './pool';
export { Reread } from './reread';
export { inTransaction, type TransactionOptions } from './transaction';
