import type { Pool } from 'pg';
import type { JobsConfig } from '../config';
import { forwardOutbox } from '../core/audit';
import {
  type JobRef,
  leaveUndone,
  listUndone,
  redriveUndone,
  type UndoneFilter,
  type UndoneSubject,
} from '../core/jobs';
import type { OperatorSigning } from './operator-signing';

/** Jobs and requests whose effects a restore took back: a person decides about each, nothing is repeated by itself. */
export class UndoneEffectsClient {
  constructor(
    private readonly config: JobsConfig,
    private readonly platform: Pool,
    private readonly application: Pool,
    private readonly signing: OperatorSigning,
  ) {}

  /** In the order in which they were completed. */
  list(filter: UndoneFilter = {}, limit = 100): Promise<UndoneSubject[]> {
    return listUndone(this.application, filter, limit);
  }

  /**
   * Does the undone steps again, with the same idempotency keys; all other steps stay done. Of a request the key gets free.
   *
   * @param options.keep undone steps that stay done all the same
   * @throws NothingUndoneError
   */
  async redrive(
    ref: JobRef,
    {
      as,
      keep,
      delayMs,
    }: { readonly as?: string; readonly keep?: readonly string[]; readonly delayMs?: number } = {},
  ): Promise<void> {
    const { tenant, type, key } = ref;
    const wanted = { action: 'undone.redrive', tenant, parameters: { type, key, keep } } as const;
    await this.signing.act(wanted, as, (act) =>
      redriveUndone(this.application, ref, { ...act, keep, delayMs }),
    );
    await this.tellAudit();
  }

  /** Leaves the effects undone: the recorded result stays the answer. @throws NothingUndoneError */
  async leave(ref: JobRef, { as }: { readonly as?: string } = {}): Promise<void> {
    const { tenant, type, key } = ref;
    const wanted = { action: 'undone.leave', tenant, parameters: { type, key } } as const;
    await this.signing.act(wanted, as, (act) =>
      leaveUndone(this.application, ref, { ...act, retentionMs: this.config.retention }),
    );
    await this.tellAudit();
  }

  /** Events are durable with their acts; a worker brings over what this process cannot. */
  private async tellAudit(): Promise<void> {
    await forwardOutbox(this.application, this.platform).catch(() => undefined);
  }
}
