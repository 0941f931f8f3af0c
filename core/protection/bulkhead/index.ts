export { Bulkhead, type BulkheadOptions, type BulkheadState } from './bulkhead';
export { BulkheadFullError, type BulkheadRefusal } from './bulkhead-full-error';
