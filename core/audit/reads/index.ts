export { ReadAudit, type ReadKind } from './read-audit';
export { ReadNotRecordedError } from './read-not-recorded-error';
