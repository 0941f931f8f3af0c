export { ChronawflowError, type ChronawflowErrorOptions, type ErrorKind } from './chronawflow-error';
export { CommandFailedError } from './command-failed-error';
export { DependencyMissingError } from './dependency-missing-error';
export { hasCode, whenMissing } from './error-code.pure';
export { boundedText } from './error-facts.pure';
export { errorListener } from './error-listener';
export { InvalidInputError } from './invalid-input-error';
export { messageOf } from './message-of';
export { RefusalError } from './refusal-error';
