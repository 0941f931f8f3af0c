export type { RetentionRequest } from './decide-retention';
export { type RetentionPools, type RetentionReport, retain } from './retain';
export type { Dropped, Held, Retention } from './types';
