import type { Pool } from 'pg';
import type { Config } from '../config';
import { InvalidInputError } from '../core/errors';
import { type RetentionReport, retain } from '../core/retention';
import { FourEyes, type SignedRequest } from './four-eyes';
import type { OperatorSigning, Wanted } from './operator-signing';

export interface RetainRequest {
  /** Milliseconds; default `audit.retention.keep`, and never less. */
  readonly olderThan?: number;
  /** Only this tenant's log. */
  readonly tenant?: string;
  readonly reason: string;
  /** Who decides; default CHRONAWFLOW_OPERATOR, or the account that runs the process. */
  readonly as?: string;
  /** Where operators sign: what was signed before, with others' consent (`request`). */
  readonly signed?: SignedRequest;
}

/** Dropping the oldest part of the audit log. */
export class AuditRetentionClient {
  private readonly fourEyes: FourEyes;

  /** @param retainer connects as the role of `audit.retention.database` */
  constructor(
    private readonly config: Config,
    private readonly platform: Pool,
    private readonly retainer: Pool,
    signing: OperatorSigning,
  ) {
    this.fourEyes = new FourEyes(signing);
  }

  /** @throws InvalidInputError, LegalHoldError, EventNotSealedError, LogDamagedError */
  async retain({ as, signed, ...request }: RetainRequest): Promise<RetentionReport> {
    const act = await this.fourEyes.act(this.wanted(request), as, signed);
    const { tenant, reason } = request;
    const pools = { platform: this.platform, retainer: this.retainer };
    return retain(pools, { ...act, tenant, reason, olderThan: this.ageOf(request) });
  }

  /** Signs what `retain` is to do, to be shown to others first. */
  request(request: RetainRequest): Promise<SignedRequest> {
    return this.fourEyes.request(this.wanted(request));
  }

  private wanted(request: RetainRequest): Wanted {
    const { tenant, reason } = request;
    return {
      action: 'audit.retain',
      ...(tenant === undefined ? {} : { tenant }),
      parameters: { olderThan: this.ageOf(request), reason },
    };
  }

  private ageOf({ olderThan }: RetainRequest): number {
    const keep = this.config.audit.retention?.keep;
    const age = olderThan ?? keep;
    if (age === undefined) {
      throw new InvalidInputError('It is not said how old what goes has to be.', {
        hint: 'Give --older-than, or set audit.retention.keep.',
      });
    }
    if (keep === undefined || age >= keep) return age;
    throw new InvalidInputError(
      'That is younger than audit.retention.keep, which nothing may be dropped before.',
      {
        hint: 'Leave --older-than out, or change the configuration.',
      },
    );
  }
}
