import { userInfo } from 'node:os';
import type { Pool } from 'pg';
import { type ExportedLogs, type ExportOptions, exportLogs } from '../log';
import type { VerifierKey } from '../note';
import { proveEvent, type Receipt } from '../receipt';
import { type AuditVerification, type VerifyOptions, verifyDatabase } from '../verify';
import { ReadAudit } from './read-audit';

/** Who reads the log, and whether that is recorded. */
export interface Reader {
  /** Default: the account that runs the process. */
  readonly actor?: string;
  /** `audit.reads.log`; default true. */
  readonly record?: boolean;
}

/** Reads the log in the database for somebody, and records it: who, of which tenant, and how. What cannot be recorded is not read out. */
export class AuditReader {
  private readonly reads: ReadAudit;
  private readonly actor: string;

  constructor(
    private readonly platform: Pool,
    { actor = userInfo().username, record = true }: Reader = {},
  ) {
    this.actor = actor;
    this.reads = new ReadAudit({ log: record, previews: true, deadLetters: true }, platform);
  }

  /** @throws ReadNotRecordedError */
  async verify(
    key: VerifierKey | readonly VerifierKey[],
    options: VerifyOptions = {},
  ): Promise<AuditVerification> {
    await this.record('audit.verify', options);
    return verifyDatabase(this.platform, key, options);
  }

  /** @throws ReadNotRecordedError, and what `exportLogs` throws */
  async export(
    keys: VerifierKey | readonly VerifierKey[],
    directory: string,
    options: ExportOptions = {},
  ): Promise<ExportedLogs> {
    await this.record('audit.export', options);
    return exportLogs(this.platform, keys, directory, options);
  }

  /** @throws ReadNotRecordedError, EventNotSealedError */
  async prove(eventId: string): Promise<Receipt> {
    // Of an event that is not there nothing is shown, so that is no reading.
    const proved = await proveEvent(this.platform, eventId);
    await this.reads.record('log', { actor: this.actor, action: 'audit.prove', object: eventId });
    return proved;
  }

  private record(action: string, { tenant }: { readonly tenant?: string }): Promise<void> {
    return this.reads.record('log', {
      actor: this.actor,
      action,
      ...(tenant === undefined ? {} : { tenant }),
    });
  }
}
