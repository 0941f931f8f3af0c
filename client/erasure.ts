import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Config } from '../config';
import { formatReceipt, proveEvent } from '../core/audit';
import {
  type ErasureReceipt,
  type ErasureReport,
  eraseSubject,
  type LegalHold,
  liftHold,
  listHolds,
  placeHold,
} from '../core/erasure';
import { hasCode, InvalidInputError } from '../core/errors';
import { rowEraser } from '../core/recovery';
import { type AuthorizedAct, FourEyes, type SignedRequest } from './four-eyes';
import type { OperatorSigning, Wanted } from './operator-signing';

export interface ErasureRequest {
  readonly tenant: string;
  /** Names the person, as the columns of `erasure.tables` and the audit log have them: such as an e-mail address. */
  readonly subject: string;
  readonly reason: string;
  /** Who decides; default CHRONAWFLOW_OPERATOR, or the account that runs the process. */
  readonly as?: string;
  /** Where operators sign: what was signed before, with others' consent (`request`). */
  readonly signed?: SignedRequest;
}

export type HoldRequest = Omit<ErasureRequest, 'subject' | 'signed'> & {
  /** Everybody of the tenant without it. */
  readonly subject?: string;
};

/** The sealer needs less than a second where it runs. */
const SEALED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 250;

/** Erasing people's data, and what forbids it. */
export class ErasureClient {
  private readonly fourEyes: FourEyes;

  constructor(
    private readonly config: Config,
    private readonly platform: Pool,
    private readonly application: Pool,
    signing: OperatorSigning,
  ) {
    this.fourEyes = new FourEyes(signing);
  }

  /**
   * Erases a person's data of one tenant: rows by the rules of `erasure.tables`, pre-images of restores, and what stands beside
   * the audit log. Restores to before it erase again.
   *
   * @throws LegalHoldError, ErasureRuleError, RestoreInProgressError, InvalidInputError without the section `erasure`
   */
  async erase({ as, signed, ...request }: ErasureRequest): Promise<ErasureReport> {
    const { erasure, tenancy } = this.config;
    if (erasure === undefined) {
      throw new InvalidInputError('The configuration does not say what is erased.', {
        hint: 'Write the section erasure: its tables, and how long backups are kept.',
      });
    }
    const rows = rowEraser(this.application, { tenancy, rules: erasure.tables });
    const act = await this.fourEyes.act(toErase(request), as, signed);
    return eraseSubject(this.platform, rows, erasure, { ...request, ...act });
  }

  /** As it is written into a file; waits until the event is sealed. @throws EventNotSealedError when no sealer runs */
  async receipt({ eventId, proofSalt }: Pick<ErasureReport, 'eventId' | 'proofSalt'>): Promise<string> {
    const limit = Date.now() + SEALED_WITHIN_MS;
    for (;;) {
      try {
        const receipt: unknown = JSON.parse(formatReceipt(await proveEvent(this.platform, eventId)));
        const whole: ErasureReceipt = { erasure: { version: 1, proofSalt }, receipt };
        return `${JSON.stringify(whole, null, 2)}\n`;
      } catch (error) {
        if (!hasCode(error, 'EVENT_NOT_SEALED') || Date.now() > limit) throw error;
        await sleep(LOOK_EVERY_MS);
      }
    }
  }

  /** Signs what `erase` is to do, to be shown to others first. */
  request(request: ErasureRequest): Promise<SignedRequest> {
    return this.fourEyes.request(toErase(request));
  }

  /** Forbids erasing the data of a person, or of everybody of a tenant. @returns the hold's ID */
  async hold({ tenant, subject, reason, as }: HoldRequest): Promise<string> {
    return placeHold(this.platform, tenant, subject, { ...(await this.toHold(tenant, reason, as)), reason });
  }

  /** @returns whether there was such a hold */
  async liftHold(id: string, { reason, as }: Pick<ErasureRequest, 'reason' | 'as'>): Promise<boolean> {
    return liftHold(this.platform, id, { ...(await this.toHold(undefined, reason, as)), reason });
  }

  /** An administrator alone: a hold only keeps what is there, and lifting it erases nothing. */
  private toHold(tenant: string | undefined, reason: string, as: string | undefined): Promise<AuthorizedAct> {
    const wanted = {
      action: 'erasure.hold',
      parameters: { reason },
      ...(tenant === undefined ? {} : { tenant }),
    } as const;
    return this.fourEyes.act(wanted, as, undefined, 0);
  }

  /** Those that stand, the oldest first. */
  holds(tenant?: string): Promise<LegalHold[]> {
    return listHolds(this.platform, tenant);
  }
}

function toErase({ tenant, subject, reason }: Pick<ErasureRequest, 'tenant' | 'subject' | 'reason'>): Wanted {
  return { action: 'erasure.erase', tenant, parameters: { subject, reason } };
}
