import type { Pool } from 'pg';
import {
  addSilence,
  type EscalationInput,
  type EscalationRecord,
  endSilence,
  escalationWorkflowId,
  type NewSilence,
  parseEscalationInput,
  readEscalation,
  readEscalations,
  readSilences,
  type Silence,
} from '../core/escalation';
import { controlTaskQueue } from '../workflows/control-contract';
import {
  type Acknowledgement,
  type EscalationStatus,
  escalationMessageNames,
  escalationWorkflowName,
} from '../workflows/escalation-contract';
import { RunEndedError, RunNotFoundError } from './errors';
import { currentOperator } from './operator';
import type { TemporalLink } from './temporal-link';

export type RaiseRequest = Omit<EscalationInput, 'source' | 'labels'> & {
  readonly labels?: EscalationInput['labels'];
  /** Default: the operator who runs the process. */
  readonly source?: string;
};

/** What the capability `escalation` offers to a program. */
export class EscalationClient {
  constructor(
    private readonly link: TemporalLink,
    private readonly platform: Pool,
  ) {}

  /** What is under way; with `all` also what ended. The newest first. */
  list(options: { readonly all?: boolean; readonly limit?: number } = {}): Promise<EscalationRecord[]> {
    return readEscalations(this.platform, options);
  }

  /** @throws EscalationNotFoundError */
  show(id: string): Promise<EscalationRecord> {
    return readEscalation(this.platform, id);
  }

  /**
   * Takes an escalation: nobody more is told.
   *
   * @throws EscalationNotFoundError, RunEndedError, NoWorkerAnsweredError
   */
  async acknowledge(id: string, by: Partial<Acknowledgement> = {}): Promise<EscalationStatus> {
    const { workflowId, endedAt, state } = await readEscalation(this.platform, id);
    if (endedAt !== undefined) throw new RunEndedError(workflowId, state);
    const message: Acknowledgement = { as: by.as ?? currentOperator(), note: by.note };
    try {
      return await this.link.ask(workflowId, (handle) =>
        handle.executeUpdate<EscalationStatus, [Acknowledgement]>(escalationMessageNames.acknowledge, {
          args: [message],
        }),
      );
    } catch (error) {
      // Temporal answers like this for a run that has just ended, too.
      if (!(error instanceof RunNotFoundError)) throw error;
      throw new RunEndedError(workflowId, (await readEscalation(this.platform, id)).state);
    }
  }

  /**
   * Tells people of something that no alert has seen. The same fingerprint is the same escalation while it is under way.
   *
   * @returns the workflow's ID
   * @throws InvalidInputError, TemporalUnavailableError
   */
  async raise(request: RaiseRequest): Promise<string> {
    const alert = parseEscalationInput({
      ...request,
      labels: request.labels ?? {},
      source: request.source ?? currentOperator(),
    });
    const workflowId = escalationWorkflowId(alert.fingerprint);
    try {
      await this.link.client.workflow.signalWithStart(escalationWorkflowName, {
        workflowId,
        taskQueue: controlTaskQueue(this.link.taskQueue),
        args: [alert],
        signal: escalationMessageNames.fire,
        signalArgs: [],
        staticSummary: `${alert.severity}: ${alert.summary}`.slice(0, 200),
      });
      return workflowId;
    } catch (error) {
      throw this.link.mapped(error, workflowId);
    }
  }

  /** Begins a maintenance window. @throws InvalidInputError */
  silence(given: Omit<NewSilence, 'by'> & { readonly by?: string }): Promise<Silence> {
    return addSilence(this.platform, { ...given, by: given.by ?? currentOperator() });
  }

  /** Maintenance windows that last or are to come. */
  silences(): Promise<Silence[]> {
    return readSilences(this.platform);
  }

  /** @throws EscalationNotFoundError */
  endSilence(id: string, by = currentOperator()): Promise<void> {
    return endSilence(this.platform, id, by);
  }
}
