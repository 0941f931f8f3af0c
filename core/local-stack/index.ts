export {
  APPLICATION,
  type ApplicationPasswords,
  grantApplicationRole,
  prepareApplicationDatabase,
} from './application-database';
export { backupRepository, type RepositoryOptions, writeRepositoryConfig } from './backup-repository';
export { type LocalServer, withDatabase } from './connect';
export { packageRoot } from './package-root';
export type { PartName, PartStatus, StackPart, StartControl } from './part';
export { PartFailedError } from './part-failed-error';
export { archiveCommand, type RepositorySettings } from './pgbackrest-config.pure';
export { PLATFORM, type PlatformPasswords, preparePlatformDatabase } from './platform-database';
export { SEARCH_ATTRIBUTES, type TemporalOptions, temporalServer } from './temporal-server';
