/** Names that alert rules and dashboards rely on; whoever counts and whoever alerts take them from here. */
export const METRIC = {
  calls: 'chronawflow_calls_total',
  callSeconds: 'chronawflow_call_seconds',
  timeouts: 'chronawflow_timeouts_total',
  /** Seconds since the breaker was last closed; 0 while it is closed. */
  breakerNotClosedSeconds: 'chronawflow_breaker_not_closed_seconds',
  breakerTransitions: 'chronawflow_breaker_transitions_total',
  bulkheadInUse: 'chronawflow_bulkhead_in_use',
  bulkheadPlaces: 'chronawflow_bulkhead_places',
  bulkheadQueued: 'chronawflow_bulkhead_queued',
  fallbackAnswers: 'chronawflow_fallback_answers_total',
  limiterDecisions: 'chronawflow_rate_limit_decisions_total',
  limiterViolations: 'chronawflow_rate_limit_violations_total',
  healthCheckFailures: 'chronawflow_health_check_failures_total',
  healthUp: 'chronawflow_health_component_up',
  queueDepth: 'chronawflow_queue_depth',
  degradationLevel: 'chronawflow_degradation_level',
  /** 1 while a scope's controller has given no sign for longer than its limit. */
  degradationSilent: 'chronawflow_degradation_controller_silent',
  degradationShed: 'chronawflow_degradation_shed_total',
  degradationChanges: 'chronawflow_degradation_changes_total',
  objectiveMissed: 'chronawflow_recovery_objective_missed',
  containments: 'chronawflow_containments',
  containmentEnds: 'chronawflow_containment_ends_total',
  pages: 'chronawflow_escalation_pages_total',
  escalationEnds: 'chronawflow_escalation_ends_total',
  recoveryPoints: 'chronawflow_recovery_points_created_total',
  auditUnsealed: 'chronawflow_audit_unsealed_events',
  auditUnsealedSeconds: 'chronawflow_audit_unsealed_seconds',
  /** 1 while a witness has seen another log than this one. */
  auditWitnessRefuses: 'chronawflow_audit_witness_refuses',
  chaosActive: 'chronawflow_chaos_active_faults',
  /** Has to be 0. */
  chaosResidual: 'chronawflow_chaos_residual_faults',
} as const;
