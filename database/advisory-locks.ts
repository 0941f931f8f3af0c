/**
 * Every advisory lock of Chronawflow, in one place because all of them share one space of numbers with each other and with
 * the application. The numbers have no meaning of their own.
 */
export const ADVISORY_LOCKS = {
  /** One migration of a database at a time. */
  migration: 7_240_915_033,
  /** Merges that wait for open writers: two of them would wait for each other. */
  mergesThatWait: 7_240_915_034,
  /** One claim of jobs at a time in the whole deployment. */
  jobClaim: 7_240_915_035,
  /** One change of the rate limits at a time, so that their generation only grows. */
  rateLimitChange: 7_240_915_036,
  /** One sealer of the audit log is active at a time. */
  auditSealer: 7_240_915_037,
  /** A legal hold and a transaction that drops a part of the audit log exclude each other. */
  auditRetention: 7_240_915_048,
  /** Shared by whoever acts on a signed intent, alone by whoever changes who may. */
  operatorRegistry: 7_240_915_038,
  /** One containment begins or is renewed at a time: limits and conflicts are decided by all others. */
  containment: 7_240_915_047,
} as const;
