export { ActivityFailedError } from './activity-failed-error';
export { ChaosRefusedError } from './chaos-refused-error';
export { ExperimentInvalidError, type ExperimentProblem } from './experiment-invalid-error';
export { FaultNotInjectedError } from './fault-not-injected-error';
export { FaultRemainsError } from './fault-remains-error';
export { GuardsNotReadyError } from './guards-not-ready-error';
export { RollbackFailedError } from './rollback-failed-error';
export { TargetNotAllowedError } from './target-not-allowed-error';
