import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { recordAuditEvent } from '../../audit';
import { workflowIdPart } from '../../workflow-id';
import { PayloadDecodeRefusedError } from '../errors/payload-decode-refused-error';
import type { PayloadCodec } from '../payload-codec';
import { PLATFORM } from '../payload-owner.pure';
import { isSealed, sealedWith } from '../seal-payload';
import type { Payload, PayloadOwner } from '../types';
import { type Reader, tenantOf } from './codec-authority';

/** What the codec server does for somebody whom it knows. */
export class CodecService {
  constructor(
    private readonly codec: PayloadCodec,
    private readonly platform: Pool,
    private readonly audited: boolean,
  ) {}

  /**
   * Payloads that are not encrypted come back as they are. All or nothing is decrypted, and not before it is in the audit log.
   *
   * @throws PayloadDecodeRefusedError, PayloadDamagedError, PayloadKeyDestroyedError, PayloadKeyUnknownError
   */
  async decode(reader: Reader, payloads: readonly Payload[]): Promise<Payload[]> {
    const owners = new Set(payloads.filter(isSealed).map((payload) => sealedWith(payload).owner));
    for (const owner of owners) {
      const may = reader.mayRead(owner);
      await this.record(reader, owner, payloads, may ? 'ok' : 'PAYLOAD_DECODE_REFUSED');
      if (!may) throw new PayloadDecodeRefusedError(reader.name, owner);
    }
    const opened: Payload[] = [];
    for (const payload of payloads) {
      opened.push(...(isSealed(payload) ? await this.codec.decode([payload]) : [payload]));
    }
    return opened;
  }

  /** For a client that starts a tenant's workflow by Temporal's own tools. @throws PayloadDecodeRefusedError */
  async encode(reader: Reader, tenant: string | undefined, payloads: Payload[]): Promise<Payload[]> {
    const owner = tenant === undefined ? PLATFORM : workflowIdPart(tenant);
    if (!reader.mayRead(owner)) throw new PayloadDecodeRefusedError(reader.name, owner);
    return this.codec.encodeFor(owner, payloads);
  }

  private async record(
    { name }: Reader,
    owner: PayloadOwner,
    payloads: readonly Payload[],
    outcome: string,
  ): Promise<void> {
    if (!this.audited) return;
    const own = payloads.filter((payload) => isSealed(payload) && sealedWith(payload).owner === owner);
    await recordAuditEvent(this.platform, {
      id: `payload-decode/${randomUUID()}`,
      ...{ actor: name, action: 'payload.decode', outcome },
      ...(owner === PLATFORM ? {} : { tenant: tenantOf(owner) }),
      details: { payloads: own.length },
    });
  }
}
