import type { Pool } from 'pg';
import { InvalidInputError } from '../core/errors';
import {
  CoreTypeHeldError,
  coreTypes,
  type Hold,
  type HoldBoundary,
  type HoldKind,
  hold,
  type Job,
  type NewHold,
  readHolds,
  release,
} from '../core/jobs';
import type { Actor } from './operator';
import type { Act, OperatorSigning } from './operator-signing';

export interface ReleaseOptions extends Actor {
  /** Jobs that may come back per second; default all at once, under their caps. */
  readonly perSecond?: number;
}

/** What the capability `jobs` offers to hold jobs back and to let them go on, which {@link JobsClient} passes on. */
export class JobHolds {
  constructor(
    private readonly application: Pool,
    private readonly signing: OperatorSigning,
    private readonly jobs: () => Promise<ReadonlyMap<string, Job>>,
    private readonly tellAudit: () => Promise<void>,
  ) {}

  /**
   * Holds back a tenant's, a type's or a tenant's type's jobs, or one job. A core type is not held for all tenants.
   *
   * @returns whether the hold is new
   * @throws CoreTypeHeldError
   */
  async quarantine(at: HoldBoundary, { as, reason }: Actor & { readonly reason: string }): Promise<boolean> {
    const core = await this.coreTypes(at);
    if (at.tenant === undefined && core.length > 0) throw new CoreTypeHeldError(core);
    return this.hold(at, { kind: 'quarantine', reason, stopsCore: core }, as);
  }

  /** Core types that a hold would stop. */
  async coreTypes(at: HoldBoundary): Promise<readonly string[]> {
    return at.key === undefined ? coreTypes(await this.jobs(), at.type ?? '') : [];
  }

  /** Lets held jobs go on, in their order, at once or at a rate. @returns whether there was such a hold */
  release(at: HoldBoundary, options: ReleaseOptions = {}): Promise<boolean> {
    return this.lift(at, 'quarantine', options);
  }

  /** Keeps all of a tenant's jobs back until it is resumed, whatever else holds them. @returns whether it is new */
  async pause(
    tenant: string,
    { as, reason = 'paused' }: Actor & { readonly reason?: string } = {},
  ): Promise<boolean> {
    const stopsCore = await this.coreTypes({ tenant });
    return this.hold({ tenant }, { kind: 'pause', reason, stopsCore }, as);
  }

  /** Ends a tenant's pause; what is quarantined stays so. @returns whether it was paused */
  resume(tenant: string, options: ReleaseOptions = {}): Promise<boolean> {
    return this.lift({ tenant }, 'pause', options);
  }

  /** Quarantines and pauses, the oldest first. */
  list(): Promise<Hold[]> {
    return readHolds(this.application);
  }

  private async hold(
    at: HoldBoundary,
    given: Omit<NewHold, keyof Act>,
    as: string | undefined,
  ): Promise<boolean> {
    const { tenant, ...where } = at;
    const action = given.kind === 'pause' ? 'jobs.pause' : 'jobs.quarantine';
    const parameters = { ...where, reason: given.reason };
    const fresh = await this.signing.act({ action, tenant, parameters }, as, (act) =>
      hold(this.application, at, { ...given, ...act }),
    );
    await this.tellAudit();
    return fresh;
  }

  private async lift(at: HoldBoundary, kind: HoldKind, { as, perSecond }: ReleaseOptions): Promise<boolean> {
    if (perSecond !== undefined && !(perSecond > 0 && Number.isFinite(perSecond)))
      throw new InvalidInputError('A rate is a number of jobs per second above 0.');
    const { tenant, ...where } = at;
    const action = kind === 'pause' ? 'jobs.resume' : 'jobs.release';
    const lifted = await this.signing.act(
      { action, tenant, parameters: { ...where, perSecond } },
      as,
      (act) => release(this.application, at, { kind, ...act, perSecond }),
    );
    await this.tellAudit();
    return lifted;
  }
}
