import type { LegalHold } from '../erasure';

/** What is to be dropped of one log, and who said so. */
export interface Retention {
  /** Of chronawflow.audit_log. */
  readonly log: number;
  /** Null for the log of events without a tenant. */
  readonly tenant: string | null;
  readonly origin: string;
  /** Entries below it go; a multiple of 256. */
  readonly minimumIndex: number;
  /** Personal data of events below it goes. */
  readonly personalBefore: number;
  /** Of the decision, in the audit log. */
  readonly eventId: string;
}

/** A tenant of which nothing is dropped. */
export interface Held {
  readonly tenant: string;
  readonly hold: LegalHold;
}

export interface Dropped extends Retention {
  /** By this call; what an earlier one had dropped before it died is not counted. */
  readonly entries: number;
  /** Events whose personal data went. */
  readonly personal: number;
}
