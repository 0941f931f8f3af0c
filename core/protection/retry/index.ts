export { Retry, type RetryOptions } from './retry';
export { RetryBudget, type RetryBudgetOptions } from './retry-budget';
