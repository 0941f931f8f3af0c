import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { checkExperiment } from '../core/chaos';
import { parseChaosInput } from '../core/chaos/run-input';
import { InvalidInputError } from '../core/errors';
import { workflowIdPart } from '../core/workflow-id';
import { chaosCapability, chaosWorkflowName } from '../workflows/chaos-contract';
import { searchAttributeNames } from '../workflows/contract';
import { controlTaskQueue } from '../workflows/control-contract';
import { currentOperator } from './operator';
import type { TemporalLink } from './temporal-link';

export interface ChaosScheduleRequest {
  readonly name: string;
  readonly experiment: Readonly<Record<string, unknown>>;
  /** Five fields, in UTC: its hours and days are the window. */
  readonly cron: string;
  /** Days on which nothing is disturbed, as `2026-12-24`. */
  readonly blackout?: readonly string[];
  /** A run begins up to so much later, by chance; milliseconds. */
  readonly jitterMs?: number;
  readonly requestedBy?: string;
}

export interface ChaosScheduleState {
  readonly name: string;
  readonly paused: boolean;
  readonly nextRuns: readonly string[];
  readonly runs: number;
}

const PREFIX = 'chaos-schedule/';

/** Experiments by the clock, as Temporal Schedules. What is due while another run goes on, or was missed, is not made up for. */
export class ChaosSchedules {
  constructor(private readonly link: TemporalLink) {}

  /** Creates the schedule, or changes it. @throws ExperimentInvalidError, InvalidInputError */
  async set(request: ChaosScheduleRequest): Promise<void> {
    const { title } = checkExperiment(request.experiment);
    const requestedBy = request.requestedBy ?? currentOperator();
    const reason = `schedule ${request.name}`;
    const input = parseChaosInput({ experiment: request.experiment, requestedBy, reason });
    const options = {
      spec: {
        cronExpressions: [request.cron],
        skip: (request.blackout ?? []).map(wholeDay),
        ...(request.jitterMs === undefined ? {} : { jitter: request.jitterMs }),
      },
      action: {
        type: 'startWorkflow' as const,
        workflowType: chaosWorkflowName,
        // Temporal adds the time of each run.
        workflowId: `chaos/${workflowIdPart(title)}/${workflowIdPart(request.name)}`,
        taskQueue: controlTaskQueue(this.link.taskQueue),
        args: [input],
        typedSearchAttributes: [
          {
            key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'),
            value: chaosCapability,
          },
        ],
      },
      policies: { overlap: 'SKIP' as const, catchupWindow: 60_000 },
    };
    const scheduleId = PREFIX + workflowIdPart(request.name);
    await this.link.request(scheduleId, async () => {
      try {
        await this.link.client.schedule.create({ scheduleId, ...options });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw asRefusedCron(error, request.cron);
        await this.link.client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...options, state }));
      }
    });
  }

  async list(): Promise<readonly ChaosScheduleState[]> {
    return this.link.request('chaos schedules', async () => {
      const found: ChaosScheduleState[] = [];
      for await (const { scheduleId } of this.link.client.schedule.list()) {
        if (!scheduleId.startsWith(PREFIX)) continue;
        const { info, state } = await this.link.client.schedule.getHandle(scheduleId).describe();
        found.push({
          name: decodeURIComponent(scheduleId.slice(PREFIX.length)),
          paused: state.paused,
          nextRuns: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
          runs: info.numActionsTaken,
        });
      }
      return found;
    });
  }

  /** @throws InvalidInputError when there is none of this name */
  async remove(name: string): Promise<void> {
    await this.link.request(name, async () => {
      try {
        await this.link.client.schedule.getHandle(PREFIX + workflowIdPart(name)).delete();
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        throw new InvalidInputError(`There is no schedule ${name}.`, {
          hint: 'chronawflow chaos schedule list',
        });
      }
    });
  }
}

const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;

/** Every second of a day in UTC. @throws InvalidInputError */
function wholeDay(text: string) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const date = new Date(`${text}T00:00:00Z`);
  const month = MONTHS[date.getUTCMonth()];
  if (match === null || month === undefined || !date.toISOString().startsWith(text))
    throw new InvalidInputError(`'${text}' is no day; write it like 2026-12-24.`);
  return {
    year: date.getUTCFullYear(),
    month,
    dayOfMonth: date.getUTCDate(),
    hour: '*' as const,
    minute: '*' as const,
    second: '*' as const,
  };
}

/** Temporal's client throws a TypeError for what the server calls an invalid argument; only the expression can be one. */
function asRefusedCron(error: unknown, cron: string): unknown {
  if (!(error instanceof TypeError)) return error;
  return new InvalidInputError(`'${cron}' is no cron expression: ${error.message}.`, { cause: error });
}
