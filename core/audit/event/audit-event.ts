/** One thing that somebody did or that happened to a tenant. No row values, no secrets. */
export interface AuditEvent {
  /** Derived from the operation and its step, so that a retried step does not appear twice. */
  readonly id: string;
  /** Who: a person or the component that acted by itself. */
  readonly actor: string;
  /** What, such as `restore.merge`. */
  readonly action: string;
  readonly tenant?: string;
  /** On what: a restore's ID, a recovery point's name. */
  readonly object?: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  /** Why, in the words of whoever asked. */
  readonly reason?: string;
  /** The workflow that asked. */
  readonly request?: string;
  /** Which run of it: a workflow's ID stands for all of them, after a reset or a retry. */
  readonly run?: string;
  /** Plain JSON; integers up to 2^53. */
  readonly details?: Readonly<Record<string, unknown>>;
  /**
   * What names or describes a person. It stands apart, the event has a salted hash of it (`details.personalSha256`), and it
   * can be erased while the log goes on to verify.
   */
  readonly personal?: PersonalData;
}

export interface PersonalData {
  /** Names the person, as an erasure will name them: such as an e-mail address. */
  readonly subject: string;
  /** Plain JSON. */
  readonly data: Readonly<Record<string, unknown>>;
}
