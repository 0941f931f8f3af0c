import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { AuditConfig } from '../../../config';
import { type AuditEvent, recordAuditEvent } from '../event';
import { writeOutbox } from '../outbox';
import { ReadNotRecordedError } from './read-not-recorded-error';

/** What is read: the keys of `audit.reads`. */
export type ReadKind = keyof AuditConfig['reads'];

/** Who reads what. Never what is in it. */
type Read = Pick<AuditEvent, 'actor' | 'action' | 'tenant' | 'object' | 'details'>;

/**
 * Records who reads what, before it is shown: what cannot be recorded is not shown.
 *
 * Recording is no reading, and neither is what the processes themselves read: there would be no end to it.
 */
export class ReadAudit {
  constructor(
    private readonly settings: AuditConfig['reads'],
    private readonly platform: Pool,
    /** Not needed for the log and previews. */
    private readonly application?: Pool,
  ) {}

  /** @throws ReadNotRecordedError */
  async record(kind: ReadKind, read: Read): Promise<void> {
    if (!this.settings[kind]) return;
    const event = { ...read, outcome: 'ok' };
    try {
      // Dead letters can be read while the control plane is away.
      if (kind === 'deadLetters' && this.application !== undefined)
        await writeOutbox(this.application, [event]);
      else await recordAuditEvent(this.platform, { ...event, id: `read/${randomUUID()}` });
    } catch (error) {
      throw new ReadNotRecordedError(read.action, error);
    }
  }
}
