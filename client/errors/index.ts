export { NoWorkerAnsweredError } from './no-worker-answered-error';
export { RemoteError } from './remote-error';
export { RunCancelledError } from './run-cancelled-error';
export { RunEndedError } from './run-ended-error';
export { RunExistsError } from './run-exists-error';
export { RunNotFoundError } from './run-not-found-error';
export { RunTerminatedError } from './run-terminated-error';
export { TemporalUnavailableError } from './temporal-unavailable-error';
