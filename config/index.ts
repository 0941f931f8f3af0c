export { ConfigInvalidError } from './config-invalid-error';
export * from './containment';
export * from './degradation';
export { isWorse, SIGNALS, type SignalKind, signalKind } from './degradation-signals';
export { duration, parseDuration } from './duration';
export * from './escalation';
export * from './failure-domains';
export { type LoadOptions, loadConfig, parseConfig } from './load';
export * from './protection';
export * from './rate-limits';
export {
  type AuditConfig,
  type BackupConfig,
  type ChaosConfig,
  type ChaosTarget,
  type Config,
  type ContainmentConfig,
  configSchema,
  type ErasureConfig,
  type EscalationConfig,
  type FailureDomainsConfig,
  type JobsConfig,
  type OperatorsConfig,
  type PayloadsConfig,
  type ProtectionConfig,
  type RateLimitsConfig,
  type RecoveryConfig,
  type TableOverride,
  type TenancyConfig,
} from './schema';
export { temporalConnection } from './temporal';
