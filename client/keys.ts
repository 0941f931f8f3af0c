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
} from '../core/payload-codec';
import { endTenantRuns } from './end-tenant-runs';
import { currentOperator } from './operator';
import type { TemporalLink } from './temporal-link';

export interface KeyRequest {
  readonly tenant: string;
  readonly reason: string;
  /** Who decides; default CHRONAWFLOW_OPERATOR, or the account that runs the process. */
  readonly as?: string;
}

export interface DestroyRequest extends KeyRequest {
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
  constructor(
    private readonly config: Config,
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    private readonly application: Pool,
  ) {}

  list(tenant?: string): Promise<OwnerKeys[]> {
    return listKeys(this.platform, tenant);
  }

  /** A new key for what is encrypted from now on; processes that have the old one use it for `payloads.keyCache` more. */
  rotate({ tenant, reason, as = currentOperator() }: KeyRequest): Promise<void> {
    return retireKeys(this.platform, tenant, { by: as, reason });
  }

  /** Wraps all keys by the first key-encryption key. @returns how many were wrapped by another one */
  async rewrap({ reason, as = currentOperator() }: Omit<KeyRequest, 'tenant'>): Promise<number> {
    const section = this.section();
    const rewrapped = await createKeyStore(section, this.platform).rewrap();
    await recordAuditEvent(this.platform, {
      id: `payload-keys/rewrap/${randomUUID()}`,
      ...{ actor: as, action: 'payload-keys.rewrap', outcome: 'ok', reason },
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
  async destroy({
    tenant,
    reason,
    as = currentOperator(),
    graceMs,
    onStep,
  }: DestroyRequest): Promise<DestroyReport> {
    const { keyCache } = this.section();
    const decision = { by: as, reason };
    await beginDestroying(this.platform, tenant, decision);
    await hold(this.application, { tenant }, { kind: 'pause', reason, by: as });
    // Until then another process may start a run with a key that it has in memory.
    onStep?.(`waits ${keyCache / 1_000} s, until no process has the key in memory`);
    await sleep(keyCache);
    const runsEnded = await endTenantRuns(this.link, tenant, {
      reason: `payload keys of ${tenant} are destroyed: ${reason}`,
      graceMs,
      onLook: (open) => onStep?.(`${open} open runs`),
    });
    return { ...(await finishDestroying(this.platform, tenant, decision, runsEnded)), tenant, runsEnded };
  }

  private section() {
    const { payloads } = this.config;
    if (payloads !== undefined) return payloads;
    throw new InvalidInputError('Payloads are not encrypted: there are no keys.', {
      hint: 'See the section payloads of the configuration.',
    });
  }
}
