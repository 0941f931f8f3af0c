import type { ClientBase, Pool } from 'pg';
import { type AuditEvent, recordAuditEvent } from './event';
import { AuditReader, type Reader } from './reads';
import type { LogVerifiers } from './seal';
import type { AuditVerification, VerifyOptions, Violation } from './verify';

/** The audit log as one object, for services that write to it and for those that check it. */
export class AuditImmutabilityManager {
  private readonly reader: AuditReader;

  /** @param reader for whom the log is read, which is recorded */
  constructor(
    private readonly platform: Pool,
    /** The log's public key, and those before it; without it nothing can be verified. */
    private readonly key: LogVerifiers,
    reader: Reader = {},
  ) {
    this.reader = new AuditReader(platform, reader);
  }

  /**
   * Records an event: within the caller's transaction on the control plane's database when it is given one. For an act in
   * the application's database there is `writeOutbox`.
   *
   * @throws InvalidInputError for an event that could not be sealed as it is
   */
  addAuditEvent(event: AuditEvent, tx?: Pick<ClientBase, 'query'>): Promise<void> {
    return recordAuditEvent(tx ?? this.platform, event);
  }

  /** Computes all trees anew and compares everything with everything; reads the whole log. @throws ReadNotRecordedError */
  verifyAuditChainIntegrity(options: VerifyOptions = {}): Promise<AuditVerification> {
    return this.reader.verify([this.key].flat(), options);
  }

  /** Only what is wrong: which event, and what it was. */
  async detectViolations(options: VerifyOptions = {}): Promise<readonly Violation[]> {
    return (await this.verifyAuditChainIntegrity(options)).violations;
  }
}
