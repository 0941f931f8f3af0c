export { AuditTransitions, type AuditTransitionsOptions } from './audit-transitions';
export { type CallLog, Measured } from './measured';
export { ProtectionMetrics } from './protection-metrics';
