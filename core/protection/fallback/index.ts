export {
  type Answered,
  Fallback,
  type FallbackLevel,
  type FallbackOptions,
  type FallbackRequest,
  type LevelAnswer,
  PRIMARY,
} from './fallback';
export { FallbackExhaustedError } from './fallback-exhausted-error';
export { elsewhere, emergency, type RememberedOptions, remembered } from './levels';
export { NothingRememberedError } from './nothing-remembered-error';
