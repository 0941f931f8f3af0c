export { type ErasedTable, type ErasureRule, eraseRowsSql } from './erase-sql.pure';
export {
  commitment,
  type EraseRequest,
  type ErasureReport,
  eraseSubject,
  type RowEraser,
} from './erase-subject';
export { erasedAfter } from './erased-after.pure';
export { ErasureRuleError } from './errors/erasure-rule-error';
export { LegalHoldError } from './errors/legal-hold-error';
export {
  type ErasureReceipt,
  erasureReceiptSchema,
  type ProvedErasure,
  verifyErasureReceipt,
} from './receipt';
export {
  type Decision,
  lastErasure,
  liftHold,
  listHolds,
  placeHold,
  readAllErasures,
  readErasures,
} from './register';
export type * from './types';
