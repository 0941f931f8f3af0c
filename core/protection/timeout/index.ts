export { Timeout, type TimeoutOptions } from './timeout';
export { TimeoutExceededError } from './timeout-exceeded-error';
