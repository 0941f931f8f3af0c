import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { InvalidInputError } from '../core/errors';
import { parseInput, recoveryPointInput } from '../core/recovery/operation-input';
import type { RecoveryPointInput, RecoveryPointKind } from '../core/recovery/types';
import { workflowIdPart } from '../core/recovery/workflow-id';
import { capability, searchAttributeNames, workflowNames } from '../workflows/contract';
import { currentOperator } from './operator';
import type { TemporalLink } from './temporal-link';

export interface ScheduleRequest {
  /** Names the schedule; its runs make recovery points `<name>-<time>`. */
  readonly name: string;
  readonly kind: RecoveryPointKind;
  /** Five fields, in UTC: `0 2 * * *`. */
  readonly cron: string;
  readonly requestedBy?: string;
}

export interface ScheduleState {
  readonly name: string;
  readonly paused: boolean;
  readonly nextRuns: readonly string[];
  readonly runs: number;
  /** Runs that were due while Temporal was down, or the run before still went on: no recovery point was made. */
  readonly missed: number;
}

const PREFIX = 'recovery-point-schedule/';

/** A run that is due while Temporal is down is made up for within this time; later it counts as missed. */
const CATCH_UP_MS = 60 * 60_000;

/** Regular recovery points, as Temporal Schedules. */
export class RecoverySchedules {
  constructor(private readonly link: TemporalLink) {}

  /** Creates the schedule, or changes it when there is one of this name. */
  async set(request: ScheduleRequest): Promise<void> {
    const requestedBy = request.requestedBy ?? currentOperator();
    const input: RecoveryPointInput = parseInput(
      recoveryPointInput,
      { kind: request.kind, requestedBy, reason: `schedule ${request.name}` },
      'schedule',
    );
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(request.name)) {
      throw new InvalidInputError(`'${request.name}' cannot name a schedule.`, {
        hint: 'Use letters, digits, dots, underscores and dashes, 40 at most.',
      });
    }
    const scheduleId = idOf(request.name);
    const options = {
      spec: { cronExpressions: [request.cron] },
      action: {
        type: 'startWorkflow' as const,
        workflowType: workflowNames.recoveryPoint,
        workflowId: `recovery-point/${workflowIdPart(request.name)}`,
        taskQueue: this.link.taskQueue,
        args: [input],
        typedSearchAttributes: [
          { key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'), value: capability },
        ],
      },
      // Two backups of one stanza at once fail; the one that is due is skipped and counted.
      policies: { overlap: 'SKIP' as const, catchupWindow: CATCH_UP_MS },
    };
    await this.link.request(scheduleId, async () => {
      try {
        await this.link.client.schedule.create({ scheduleId, ...options });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw error;
        await this.link.client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...options, state }));
      }
    });
  }

  async list(): Promise<readonly ScheduleState[]> {
    return this.link.request(PREFIX, async () => {
      const found: ScheduleState[] = [];
      for await (const { scheduleId } of this.link.client.schedule.list()) {
        if (!scheduleId.startsWith(PREFIX)) continue;
        const { info, state } = await this.link.client.schedule.getHandle(scheduleId).describe();
        found.push({
          name: decodeURIComponent(scheduleId.slice(PREFIX.length)),
          paused: state.paused,
          nextRuns: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
          runs: info.numActionsTaken,
          missed: info.numActionsMissedCatchupWindow + info.numActionsSkippedOverlap,
        });
      }
      return found;
    });
  }

  /** Ends the schedule; recovery points that it made stay. */
  async remove(name: string): Promise<void> {
    await this.link.request(idOf(name), async () => {
      try {
        await this.link.client.schedule.getHandle(idOf(name)).delete();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        throw new InvalidInputError(`There is no schedule ${name}.`, {
          cause: error,
          hint: 'List them with `chronawflow recovery schedule list`.',
        });
      }
    });
  }
}

function idOf(name: string): string {
  return PREFIX + workflowIdPart(name);
}
