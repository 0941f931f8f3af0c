import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { InvalidInputError } from '../core/errors';
import { parseInput, recoveryDrillInput, recoveryPointInput } from '../core/recovery/operation-input';
import { parseTarget } from '../core/recovery/target/parse-target.pure';
import type { RecoveryPointKind } from '../core/recovery/types';
import { drillWorkflowId, recoveryPointWorkflowId, workflowIdPart } from '../core/recovery/workflow-id';
import { capability, searchAttributeNames, workflowNames } from '../workflows/contract';
import { currentOperator } from './operator';
import { describeIfThere } from './schedule-if-there';
import type { TemporalLink } from './temporal-link';

export type ScheduledKind = RecoveryPointKind | 'drill';

export interface ScheduleRequest {
  /** Names the schedule; its runs make recovery points `<name>-<time>`, or are the drills `drill/<name>-<time>`. */
  readonly name: string;
  readonly kind: ScheduledKind;
  /** For a drill: default the tenant that waits longest for one. */
  readonly tenant?: string;
  /** For a drill, its target relative to each run; default `5m ago`. */
  readonly to?: string;
  /** Five fields, in UTC: `0 2 * * *`. */
  readonly cron: string;
  readonly requestedBy?: string;
}

export interface ScheduleState {
  readonly name: string;
  readonly what: 'recovery point' | 'drill';
  readonly paused: boolean;
  readonly nextRuns: readonly string[];
  readonly runs: number;
  /** Runs that were due while Temporal was down, or the run before still went on: nothing was done. */
  readonly missed: number;
}

const PREFIXES = {
  'recovery point': 'recovery-point-schedule/',
  drill: 'recovery-drill-schedule/',
} as const;

type Scheduled = keyof typeof PREFIXES;

/** A run that is due while Temporal is down is made up for within this time; later it counts as missed. */
const CATCH_UP_MS = 60 * 60_000;

/** Regular recovery points and drills, as Temporal Schedules. */
export class RecoverySchedules {
  constructor(private readonly link: TemporalLink) {}

  /** Creates the schedule, or changes it when there is one of this name. */
  async set(request: ScheduleRequest): Promise<void> {
    const requestedBy = request.requestedBy ?? currentOperator();
    const run = scheduledRun(request, { requestedBy, reason: `schedule ${request.name}` });
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(request.name)) {
      throw new InvalidInputError(`'${request.name}' cannot name a schedule.`, {
        hint: 'Use letters, digits, dots, underscores and dashes, 40 at most.',
      });
    }
    const scheduleId = idOf(run.what, request.name);
    const options = {
      spec: { cronExpressions: [request.cron] },
      action: {
        type: 'startWorkflow' as const,
        workflowType: run.workflow,
        workflowId: run.workflowId,
        taskQueue: this.link.taskQueue,
        args: [run.input],
        typedSearchAttributes: [
          { key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'), value: capability },
        ],
      },
      // Two backups of one stanza at once fail, and a drill need not be made up for: what is due is skipped and counted.
      policies: { overlap: 'SKIP' as const, catchupWindow: CATCH_UP_MS },
    };
    await this.link.request(scheduleId, async () => {
      try {
        await this.link.client.schedule.create({ scheduleId, ...options });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw asRefusedCron(error, request.cron);
        await this.link.client.schedule
          .getHandle(scheduleId)
          .update(({ state }) => ({ ...options, state }))
          .catch((refused: unknown) => {
            throw asRefusedCron(refused, request.cron);
          });
      }
    });
  }

  /** What was set a moment ago may not be among them yet: Temporal's list lags behind. */
  async list(): Promise<readonly ScheduleState[]> {
    return this.link.request('schedules', async () => {
      const found: ScheduleState[] = [];
      for await (const { scheduleId } of this.link.client.schedule.list()) {
        const what = SCHEDULED.find((one) => scheduleId.startsWith(PREFIXES[one]));
        if (what === undefined) continue;
        const description = await describeIfThere(this.link.client.schedule.getHandle(scheduleId));
        if (description === undefined) continue;
        const { info, state } = description;
        found.push({
          name: decodeURIComponent(scheduleId.slice(PREFIXES[what].length)),
          what,
          paused: state.paused,
          nextRuns: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
          runs: info.numActionsTaken,
          missed: info.numActionsMissedCatchupWindow + info.numActionsSkippedOverlap,
        });
      }
      return found;
    });
  }

  /** Ends the schedule; recovery points and reports that it made stay. */
  async remove(name: string): Promise<void> {
    const removed = await Promise.all(SCHEDULED.map((what) => this.removeOne(idOf(what, name))));
    if (removed.includes(true)) return;
    throw new InvalidInputError(`There is no schedule ${name}.`, {
      hint: 'List them with `chronawflow recovery schedule list`.',
    });
  }

  /** @returns false when there was none. */
  private async removeOne(scheduleId: string): Promise<boolean> {
    return this.link.request(scheduleId, async () => {
      try {
        await this.link.client.schedule.getHandle(scheduleId).delete();
        return true;
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return false;
        throw error;
      }
    });
  }
}

/** Temporal's client throws a TypeError for what the server calls an invalid argument; only the expression can be one. */
function asRefusedCron(error: unknown, cron: string): unknown {
  if (!(error instanceof TypeError)) return error;
  return new InvalidInputError(`'${cron}' is no cron expression: ${error.message}.`, {
    cause: error,
    hint: 'Write five fields, in UTC: minute, hour, day of the month, month, day of the week, such as "0 2 * * *".',
  });
}

const SCHEDULED: readonly Scheduled[] = ['recovery point', 'drill'];

/** What a schedule starts, its input checked now and not at three in the morning. */
function scheduledRun(
  { name, kind, tenant, to }: ScheduleRequest,
  asked: { readonly requestedBy: string; readonly reason: string },
): { what: Scheduled; workflow: string; workflowId: string; input: object } {
  if (kind === 'drill') {
    const input = parseInput(recoveryDrillInput, { ...asked, tenant, to }, 'schedule');
    parseTarget(input.to);
    return { what: 'drill', workflow: workflowNames.recoveryDrill, workflowId: drillWorkflowId(name), input };
  }
  if (tenant !== undefined || to !== undefined) {
    throw new InvalidInputError(
      'A tenant and a target are for drills; a recovery point is of the whole cluster.',
      {
        hint: 'Leave --tenant and --to out, or use --kind drill.',
      },
    );
  }
  return {
    what: 'recovery point',
    workflow: workflowNames.recoveryPoint,
    workflowId: recoveryPointWorkflowId(name),
    input: parseInput(recoveryPointInput, { ...asked, kind }, 'schedule'),
  };
}

function idOf(what: Scheduled, name: string): string {
  return PREFIXES[what] + workflowIdPart(name);
}
