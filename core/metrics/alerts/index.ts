export type { Alert, Severity } from './alert';
export { allAlerts, DEFAULT_OBJECTIVE, renderRules } from './render-rules';
