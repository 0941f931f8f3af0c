export { INITIAL_STATE } from './decide.pure';
export {
  type AppliedLevel,
  type ApplyDegradation,
  type ApplyReadOnly,
  type ByHand,
  DegradationModesManager,
  type DegradationPort,
} from './degradation-modes-manager';
export { LevelTooEarlyError } from './errors/level-too-early-error';
export * from './http';
export type { Standing } from './justify.pure';
export { justify } from './justify.pure';
export { intentOfAct, type LevelAct, type SignedAct, setsAgainstController } from './level-act.pure';
export { loadPolicy } from './load-policy';
export { levelAt } from './policy.pure';
export type { Admission, Request } from './process/admission';
export type { ApplyComponent } from './process/components';
export { Degradation, type DegradationOptions } from './process/degradation';
export {
  applicationSignals,
  breakerSignals,
  JOB_PRIORITIES,
  queueSignals,
} from './process/deployment-signals';
export type { LevelView } from './process/level-view';
export type { RequestOutcome } from './process/request-signals';
export { callSignals, healthSignals, loopSignals, type SignalSource } from './process/signal-sources';
export type { PublishedLevel } from './published-level';
export { PLATFORM_SCOPE, scopesOf, tierScope } from './scope';
export type { ScopeHealth, WayBack } from './scope-health';
export { parseSeries } from './series/parse-series';
export { type SeriesPoint, type SimulatedStep, simulate } from './series/simulate.pure';
export type { AssessedLevel } from './store/controller-sign';
export { DegradationStore } from './store/degradation-store';
export type { AuthorizeLevel } from './store/publish-level';
export type { ProcessState } from './store/read-processes';
export type { ProcessSample } from './store/report-process';
export type * from './types';
export { budgetLeft, keeping, remainingDwell } from './way-back.pure';
