import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Config } from '../config';
import { recordAuditEvent } from '../core/audit';
import { InvalidInputError } from '../core/errors';
import { hold } from '../core/jobs';
import {
  beginDestroying,
  createKeyStore,
  type Destroyed,
  finishDestroying,
  listKeys,
  type OwnerKeys,
  retireKeys,
  ScheduleRecord,
} from '../core/payload-codec';
import { inTransaction } from '../database';
import { endTenantRuns } from './end-tenant-runs';
import { FourEyes, type SignedRequest } from './four-eyes';
import type { OperatorSigning, Wanted } from './operator-signing';
import type { TemporalLink } from './temporal-link';

export interface KeyRequest {
  readonly tenant: string;
  readonly reason: string;
  /** Who decides; default CHRONAWFLOW_OPERATOR, or the account that runs the process. */
  readonly as?: string;
}

export interface DestroyRequest extends KeyRequest {
  /** Where operators sign: what was signed before, with others' consent (`requestDestroy`). */
  readonly signed?: SignedRequest;
  /** How long runs have for their clean-up before they are terminated, in milliseconds; default 30 s. */
  readonly graceMs?: number;
  /** Called with what is going on. */
  readonly onStep?: (step: string) => void;
}

export interface DestroyReport extends Destroyed {
  readonly tenant: string;
  readonly runsEnded: number;
}

/** The keys of encrypted payloads. */
export class KeysClient {
  private readonly fourEyes: FourEyes;

  constructor(
    private readonly config: Config,
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    private readonly application: Pool,
    signing: OperatorSigning,
  ) {
    this.fourEyes = new FourEyes(signing);
  }

  list(tenant?: string): Promise<OwnerKeys[]> {
    return listKeys(this.platform, tenant);
  }

  /** A new key for what is encrypted from now on; processes that have the old one use it for `payloads.keyCache` more. */
  async rotate({ tenant, reason, as }: KeyRequest): Promise<void> {
    const wanted = { action: 'payload.rotate-key', tenant, parameters: { reason } } as const;
    // An administrator alone: the old keys go on decrypting.
    const act = await this.fourEyes.act(wanted, as, undefined, 0);
    await retireKeys(this.platform, tenant, { ...act, reason });
  }

  /** Wraps all keys by the first key-encryption key. @returns how many were wrapped by another one */
  async rewrap({ reason, as }: Omit<KeyRequest, 'tenant'>): Promise<number> {
    const section = this.section();
    const wanted = { action: 'payload.rotate-key', parameters: { wrapping: true, reason } } as const;
    const { by, authorize } = await this.fourEyes.act(wanted, as, undefined, 0);
    if (authorize !== undefined) await inTransaction(this.platform, authorize);
    const rewrapped = await createKeyStore(section, this.platform).rewrap();
    await recordAuditEvent(this.platform, {
      id: `payload-keys/rewrap/${randomUUID()}`,
      ...{ actor: by, action: 'payload-keys.rewrap', outcome: 'ok', reason },
      object: section.keyEncryptionKeys[0]?.id,
      details: { keys: rewrapped },
    });
    return rewrapped;
  }

  /**
   * Ends all of a tenant's runs, then makes its histories unreadable for good. Called again after a failure it goes on
   * where it was. Its jobs are paused first, so that none is started any more.
   *
   * @throws InvalidInputError without encryption, for a tenant without keys, or when they were destroyed already
   */
  async destroy({ tenant, reason, as, signed, graceMs, onStep }: DestroyRequest): Promise<DestroyReport> {
    const { keyCache } = this.section();
    const act = await this.fourEyes.act(toDestroy(tenant, reason), as, signed);
    const decision = { ...act, reason };
    await beginDestroying(this.platform, tenant, decision);
    await hold(this.application, { tenant }, { kind: 'pause', reason, by: act.by });
    // Until then another process may start a run with a key that it has in memory.
    onStep?.(`waits ${keyCache / 1_000} s, until no process has the key in memory`);
    await sleep(keyCache);
    const runsEnded = await endTenantRuns(this.link, new ScheduleRecord(this.platform), tenant, {
      reason: `payload keys of ${tenant} are destroyed: ${reason}`,
      graceMs,
      onLook: (open) => onStep?.(`${open} open runs`),
    });
    return { ...(await finishDestroying(this.platform, tenant, decision, runsEnded)), tenant, runsEnded };
  }

  /** Signs what `destroy` is to do, to be shown to others first. */
  requestDestroy({ tenant, reason }: KeyRequest): Promise<SignedRequest> {
    return this.fourEyes.request(toDestroy(tenant, reason));
  }

  private section() {
    const { payloads } = this.config;
    if (payloads !== undefined) return payloads;
    throw new InvalidInputError('Payloads are not encrypted: there are no keys.', {
      hint: 'See the section payloads of the configuration.',
    });
  }
}

function toDestroy(tenant: string, reason: string): Wanted {
  return { action: 'payload.destroy-key', tenant, parameters: { reason } };
}
