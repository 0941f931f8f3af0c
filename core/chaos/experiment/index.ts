export type { AbortCondition, Activity, ChaosExtension, Experiment } from './experiment';
export { MASK, maskSecrets } from './mask.pure';
export { checkExperiment, readExperiment } from './read-experiment';
export { callProvider, type RunContext, runActivity } from './run-activity';
export { comesTrue, steadyState } from './steady-state';
export { type ExperimentValues, experimentValues } from './values';
