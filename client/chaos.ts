import { defineSearchAttributeKey } from '@temporalio/common';
import type { Pool } from 'pg';
import {
  type ChaosOperations,
  type ChaosRunEntry,
  type ChaosRunRequest,
  ChaosRunStore,
  checkExperiment,
  type ExperimentJournal,
  LeaseStore,
  type StoredLease,
} from '../core/chaos';
import { parseChaosInput } from '../core/chaos/run-input';
import type { ChaosReport } from '../core/chaos/types';
import { workflowIdPart } from '../core/workflow-id';
import {
  type ChaosDecision,
  type ChaosStatus,
  chaosCapability,
  chaosMessageNames,
  chaosWorkflowName,
} from '../workflows/chaos-contract';
import { searchAttributeNames } from '../workflows/contract';
import { controlTaskQueue } from '../workflows/control-contract';
import { ChaosSchedules } from './chaos-schedules';
import { ChaosSigning } from './chaos-signing';
import { RunNotFoundError } from './errors';
import { currentOperator } from './operator';
import type { OperatorSigning } from './operator-signing';
import { newRequestName } from './request-name';
import type { TemporalLink } from './temporal-link';

/** A running or ended experiment. */
export class ChaosRun {
  constructor(
    private readonly link: TemporalLink,
    readonly workflowId: string,
    private readonly signing: ChaosSigning,
  ) {}

  /** Address in Temporal's Web UI; undefined when the configuration names no Web UI. */
  get webUrl(): string | undefined {
    return this.link.webLink(this.workflowId);
  }

  /** @throws RunNotFoundError, NoWorkerAnsweredError */
  status(): Promise<ChaosStatus> {
    return this.link.ask(this.workflowId, (handle) => handle.query<ChaosStatus>(chaosMessageNames.status));
  }

  /** Lets an experiment in production begin; not by its requester. */
  async approve({ as }: Partial<ChaosDecision> = {}): Promise<ChaosStatus> {
    const request = this.signing.on ? (await this.status()).request : undefined;
    return this.update(chaosMessageNames.approve, await this.signing.approval(request, as));
  }

  /** Lets the next step of a game day begin. */
  async confirm({ as, step }: Pick<Partial<ChaosDecision>, 'as' | 'step'> = {}): Promise<ChaosStatus> {
    const status = this.signing.on ? await this.status() : undefined;
    const decision = await this.signing.confirmation(this.workflowId, status, as, step);
    return this.update(chaosMessageNames.confirm, decision);
  }

  /** Ends the experiment now, in the name of whoever signs where operators do; its faults are rolled back before {@link result} answers. */
  async abort(): Promise<void> {
    await this.signing.abort(this.workflowId);
    await this.link.request(this.workflowId, (handle) => handle.cancel());
  }

  /** Waits for the end. @throws the RemoteError that kept it from beginning, such as CHAOS_REFUSED */
  result(): Promise<ChaosReport> {
    return this.link.resultOf<ChaosReport>(this.workflowId);
  }

  private update(name: 'approve' | 'confirm', decision: ChaosDecision): Promise<ChaosStatus> {
    return this.link.ask(this.workflowId, (handle) =>
      handle.executeUpdate<ChaosStatus, [ChaosDecision]>(name, { args: [decision] }),
    );
  }
}

/** What the capability `chaos` offers to a program. */
export class ChaosClient implements ChaosOperations<ChaosRun> {
  private readonly signing: ChaosSigning;

  constructor(
    private readonly link: TemporalLink,
    private readonly platform: Pool,
    signing: OperatorSigning,
  ) {
    this.signing = new ChaosSigning(signing);
  }

  /**
   * Starts an experiment.
   *
   * @throws ExperimentInvalidError with every problem, InvalidInputError, RunExistsError, TemporalUnavailableError
   */
  async run({ request, ...options }: ChaosRunRequest): Promise<ChaosRun> {
    const asked = parseChaosInput({ ...options, requestedBy: options.requestedBy ?? currentOperator() });
    const { title } = checkExperiment(asked.experiment);
    const workflowId = chaosWorkflowId(title, request ?? newRequestName());
    const input = await this.signing.run(workflowId, asked, options.requestedBy);
    const key = defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD');
    await this.link.request(workflowId, () =>
      this.link.client.workflow.start(chaosWorkflowName, {
        workflowId,
        taskQueue: controlTaskQueue(this.link.taskQueue),
        args: [input],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: `Experiment: ${title}`.slice(0, 200),
        staticDetails: [
          `Requested by ${input.requestedBy}.`,
          ...(input.reason === undefined ? [] : [input.reason]),
        ].join('\n\n'),
        typedSearchAttributes: [{ key, value: chaosCapability }],
      }),
    );
    return this.handle(workflowId);
  }

  /** The handle of a run that somebody else started; asks nothing yet. */
  handle(workflowId: string): ChaosRun {
    return new ChaosRun(this.link, workflowId, this.signing);
  }

  /** Experiments by the clock. */
  get schedules(): ChaosSchedules {
    return new ChaosSchedules(this.link, this.signing);
  }

  /** Faults of all hosts whose leases are open. */
  activeFaults(): Promise<readonly StoredLease[]> {
    return new LeaseStore(this.platform).active();
  }

  /** The newest runs, first the newest. */
  recent(limit = 20): Promise<readonly ChaosRunEntry[]> {
    return new ChaosRunStore(this.platform).recent(limit);
  }

  /** Report and Chaos Toolkit's journal of a run that has ended. @throws RunNotFoundError */
  async report(
    workflowId: string,
  ): Promise<{ readonly report: ChaosReport; readonly journal: ExperimentJournal }> {
    const found = await new ChaosRunStore(this.platform).read(workflowId);
    if (found === undefined) throw new RunNotFoundError(workflowId);
    return found;
  }
}

/** `chaos/<experiment>/<n>` */
export function chaosWorkflowId(title: string, request: string): string {
  return `chaos/${workflowIdPart(title)}/${workflowIdPart(request)}`;
}
