export { DatabaseSilentError } from './database-silent-error';
export { type SharedBreakerOptions, SharedBreakers } from './shared-breakers';
