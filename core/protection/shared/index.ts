export { DatabaseSilentError } from './database-silent-error';
export { endIsolation, leaseIsolation } from './leased-isolation';
export { listSharedBreakers, type SharedBreakerState } from './list-shared';
export { type SharedBreakerOptions, SharedBreakers } from './shared-breakers';
