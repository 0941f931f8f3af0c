import type { Pool } from 'pg';
import type { Config } from '../config';
import { duration } from '../config';
import {
  type ContainmentInput,
  type ContainmentRecord,
  type ContainmentReport,
  type ContainmentRequest,
  containmentId,
  containmentWorkflowId,
  describeTarget,
  parseContainmentInput,
  readContainment,
  readContainments,
  tenantOf,
  toContain,
  toRelease,
} from '../core/containment';
import { InvalidInputError } from '../core/errors';
import {
  type ContainmentRelease,
  type ContainmentStatus,
  containmentCapability,
  containmentMessageNames,
  containmentWorkflowName,
} from '../workflows/containment-contract';
import { controlTaskQueue } from '../workflows/control-contract';
import { RunEndedError, RunNotFoundError } from './errors';
import { currentOperator } from './operator';
import type { OperatorSigning } from './operator-signing';
import { newRequestName } from './request-name';
import { startOperation } from './start-operation';
import type { TemporalLink } from './temporal-link';

/** A started containment. */
export interface ContainmentRun {
  readonly id: string;
  readonly workflowId: string;
  readonly webUrl: string | undefined;
  status(): Promise<ContainmentStatus>;
  /** Undoes everything now; resolves when it is undone. */
  release(by?: Partial<ContainmentRelease>): Promise<void>;
  /** Waits for the end. */
  result(): Promise<ContainmentReport>;
}

/** What the capability `containment` offers to a program. */
export class ContainmentClient {
  constructor(
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    private readonly config: Config,
    private readonly signing: OperatorSigning,
  ) {}

  /**
   * Starts to contain. A conflict with another containment, or a part that cannot be applied, is told by `status` and `result`.
   *
   * @throws InvalidInputError, RunExistsError, TemporalUnavailableError
   */
  async contain({
    reason,
    for: time,
    requestedBy,
    request,
    ...target
  }: ContainmentRequest): Promise<ContainmentRun> {
    const asked: ContainmentInput = parseContainmentInput(
      {
        target,
        reason,
        requestedBy: requestedBy ?? currentOperator(),
        ...(time === undefined ? {} : { forMs: milliseconds(time) }),
      },
      this.config.containment.longest,
    );
    const workflowId = containmentWorkflowId(target, request ?? newRequestName());
    const { by, intent } = await this.signing.sign(toContain(workflowId, asked), requestedBy);
    const input: ContainmentInput = { ...asked, requestedBy: by, intent };
    await startOperation(this.link, containmentWorkflowName, workflowId, input, {
      tenant: tenantOf(target),
      summary: describeTarget(target),
      details: `Reason: ${reason}`,
      capability: containmentCapability,
      taskQueue: controlTaskQueue(this.link.taskQueue),
    });
    return this.run(workflowId);
  }

  /** The handle of a containment that somebody else started; asks nothing yet. */
  run(workflowId: string): ContainmentRun {
    const { link } = this;
    return {
      id: containmentId(workflowId),
      workflowId,
      webUrl: link.webLink(workflowId),
      status: () =>
        link.ask(workflowId, (handle) => handle.query<ContainmentStatus>(containmentMessageNames.status)),
      release: (by = {}) => this.releaseRun(workflowId, by),
      result: () => link.resultOf<ContainmentReport>(workflowId),
    };
  }

  /** What stands now; with `all` also what ended. The newest first. */
  list(options: { readonly all?: boolean; readonly limit?: number } = {}): Promise<ContainmentRecord[]> {
    return readContainments(this.platform, options);
  }

  /** Ends a containment now. @throws ContainmentNotFoundError, RunEndedError */
  async release(id: string, by: Partial<ContainmentRelease> = {}): Promise<void> {
    const { workflowId } = await readContainment(this.platform, id);
    await this.run(workflowId).release(by);
  }

  private async releaseRun(
    workflowId: string,
    { as, reason }: Pick<Partial<ContainmentRelease>, 'as' | 'reason'>,
  ): Promise<void> {
    const { by, intent } = await this.signRelease(containmentId(workflowId), as, reason);
    const release: ContainmentRelease = { as: by, reason, intent };
    try {
      await this.link.ask(workflowId, (handle) =>
        handle.executeUpdate<ContainmentStatus, [ContainmentRelease]>(containmentMessageNames.release, {
          args: [release],
        }),
      );
    } catch (error) {
      // Temporal answers like this for a run that has ended, too.
      if (!(error instanceof RunNotFoundError)) throw error;
      const { outcome, state } = await readContainment(this.platform, containmentId(workflowId));
      throw new RunEndedError(workflowId, outcome ?? state);
    }
  }

  /** Only who signs has to know what it is about. */
  private async signRelease(id: string, as: string | undefined, reason: string | undefined) {
    if (!this.signing.on) return { by: as ?? currentOperator() };
    const { target } = await readContainment(this.platform, id);
    return this.signing.sign(toRelease(id, target, reason), as);
  }
}

function milliseconds(time: string | number): number {
  const parsed = duration.safeParse(time);
  if (parsed.success) return Math.round(parsed.data);
  throw new InvalidInputError(`'${time}' is no duration.`, { hint: "Write it like '15m'." });
}
