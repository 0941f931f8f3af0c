export { type Bundle, packEntries } from './bundle';
export { ExportConflictError } from './export-conflict-error';
export { type ExportedLogs, type ExportOptions, exportLogs } from './export-logs';
export { EmptyDirectory } from './export-target';
export { ExportedLog, exportLog, isExportedAt } from './exported-log';
export { LogDamagedError } from './log-damaged-error';
export type { LogReader } from './log-reader';
export { proveConsistency, proveInclusion } from './prove';
export { type LogFacts, readLogs, StoredLog } from './stored-log';
