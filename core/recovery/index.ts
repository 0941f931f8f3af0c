export { checkCompliance } from './check-compliance';
export { createRecoveryEngine } from './create-engine';
export { type ChangedRow, type ChangesPage, type PageRequest, pageChanges } from './diff/page-changes';
export { pageUndone, type UndoneEffect } from './effects';
export type {
  OpenRestore,
  PreviewRequest,
  RecoveryContext,
  RecoveryEngine,
  StepControl,
  StepLog,
} from './engine';
export { rowEraser } from './erase/row-eraser';
export { endTenantGate, leaseTenantGate } from './gate/lease-tenant-gate';
export { sweepGates } from './gate/sweep-gates';
export { expirePreimages } from './record/close-restore';
export { recordBreaches } from './record-breaches';
export { removeEveryScratch, sweepScratch } from './scratch';
export { attributeTenancy } from './slice/attribute-tenancy';
export { parseTarget } from './target';
export type * from './types';
