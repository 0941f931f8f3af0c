export { type Administrator, type LocalServer, localAdministrator, withDatabase } from './administrator';
export {
  APPLICATION,
  type ApplicationDatabase,
  createLocalApplication,
  grantApplicationRole,
  prepareApplicationDatabase,
} from './application-database';
export { backupRepository, type RepositoryOptions, writeRepositoryConfig } from './backup-repository';
export { currentHolder, takeStack } from './holder';
export { holderFileOf, type StackLayout, stackLayout, stateFileOf } from './layout.pure';
export { packageRoot } from './package-root';
export type { PartName, PartStatus, StackPart, StartControl } from './part';
export { PartFailedError } from './part-failed-error';
export { archiveCommand, type RepositorySettings } from './pgbackrest-config.pure';
export { PLATFORM, type PlatformDatabase, preparePlatformDatabase } from './platform-database';
export { openStack, type Stack, type StackOptions } from './stack';
export { StackBusyError } from './stack-busy-error';
export type { OnStackEvent, StackEvent } from './stack-event';
export { StackMissingError } from './stack-missing-error';
export { StackStateInvalidError } from './stack-state-invalid-error';
export { startStack } from './start-stack';
export type { StackPorts } from './state';
export { stopParts } from './stop-parts';
export { takeDownStack } from './take-down';
export { SEARCH_ATTRIBUTES, type TemporalOptions, temporalServer } from './temporal-server';
export type { TenancyInput } from './tenancy';
export { watchStack } from './watch-stack';
export { type WorkerProcessOptions, workerProcess } from './worker-process';
