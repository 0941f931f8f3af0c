export type { Alert, Severity } from './alert';
export { allAlerts, DEFAULT_OBJECTIVE, RUNBOOKS, renderRules } from './render-rules';
