import { ScheduleAlreadyRunning, ScheduleNotFoundError } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { checkExperiment } from '../core/chaos';
import { parseChaosInput } from '../core/chaos/run-input';
import type { ChaosScheduleTerms } from '../core/chaos/types';
import { InvalidInputError } from '../core/errors';
import { workflowIdPart } from '../core/workflow-id';
import { chaosCapability, chaosWorkflowName } from '../workflows/chaos-contract';
import { searchAttributeNames } from '../workflows/contract';
import { controlTaskQueue } from '../workflows/control-contract';
import type { ChaosSigning } from './chaos-signing';
import type { SignedRequest } from './four-eyes';
import { currentOperator } from './operator';
import { describeIfThere } from './schedule-if-there';
import type { TemporalLink } from './temporal-link';

export interface ChaosScheduleRequest {
  readonly name: string;
  readonly experiment: Readonly<Record<string, unknown>>;
  /** Five fields, in UTC: its hours and days are the window. Either this or `rate`. */
  readonly cron?: string;
  /** Small faults that go on at a rate, at moments of chance. */
  readonly rate?: ChaosRate;
  /** Days on which nothing is disturbed, as `2026-12-24`. */
  readonly blackout?: readonly string[];
  /** A run begins up to so much later, by chance; milliseconds. */
  readonly jitterMs?: number;
  readonly requestedBy?: string;
  /** Where operators sign: what was signed before, with others' consent (`request`). */
  readonly signed?: SignedRequest;
}

export interface ChaosRate {
  /** Runs an hour on the average; one that is due while another goes on is left out. */
  readonly perHour: number;
  /** From the first hour to before the second, in UTC; without it all day. */
  readonly hours?: { readonly from: number; readonly to: number };
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
  constructor(
    private readonly link: TemporalLink,
    private readonly signing: ChaosSigning,
  ) {}

  /** Creates the schedule, or changes it. @throws ExperimentInvalidError, InvalidInputError */
  async set(request: ChaosScheduleRequest): Promise<void> {
    const { title } = checkExperiment(request.experiment);
    const requestedBy = request.requestedBy ?? currentOperator();
    const when = timesOf(request);
    const reason = `schedule ${request.name}`;
    const asked = parseChaosInput({ experiment: request.experiment, requestedBy, reason });
    const terms = termsOf(request);
    const input = await this.signing.schedule(asked, terms, request.signed);
    const options = {
      spec: { ...when, skip: [...(request.blackout ?? []).map(wholeDay), ...when.skip] },
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
        if (!(error instanceof ScheduleAlreadyRunning)) throw asRefusedCron(error, request.cron ?? '');
        await this.link.client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...options, state }));
      }
    });
  }

  /** Signs what `set` is to do, to be shown to others first. */
  request(request: ChaosScheduleRequest): Promise<SignedRequest> {
    return this.signing.requestSchedule(termsOf(request), request.experiment);
  }

  /** What was set a moment ago may not be among them yet: Temporal's list lags behind. */
  async list(): Promise<readonly ChaosScheduleState[]> {
    return this.link.request('chaos schedules', async () => {
      const found: ChaosScheduleState[] = [];
      for await (const { scheduleId } of this.link.client.schedule.list()) {
        if (!scheduleId.startsWith(PREFIX)) continue;
        const description = await describeIfThere(this.link.client.schedule.getHandle(scheduleId));
        if (description === undefined) continue;
        const { info, state } = description;
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

const HOUR_MS = 3_600_000;

/** @throws InvalidInputError unless there is one of `cron` and `rate`, within its bounds */
function timesOf({ cron, rate, jitterMs }: ChaosScheduleRequest) {
  if ((cron === undefined) === (rate === undefined))
    throw new InvalidInputError('A schedule has either a cron expression or a rate.');
  if (rate === undefined)
    return {
      cronExpressions: [cron ?? ''],
      skip: [],
      ...(jitterMs === undefined ? {} : { jitter: jitterMs }),
    };
  const { perHour, hours } = rate;
  if (!(perHour > 0 && perHour <= 60))
    throw new InvalidInputError('A rate is more than 0 and at most 60 an hour.');
  const every = Math.round(HOUR_MS / perHour);
  // Each run is anywhere within its interval: nobody can prepare for it, and the average stays.
  return { intervals: [{ every }], jitter: every, skip: hours === undefined ? [] : hoursOutside(hours) };
}

/** The hours of a day that are not in the window, of which one may go past midnight. @throws InvalidInputError */
function hoursOutside({ from, to }: NonNullable<ChaosRate['hours']>) {
  const isHour = (hour: number) => Number.isInteger(hour) && hour >= 0 && hour <= 24;
  if (!isHour(from) || !isHour(to) || from === to)
    throw new InvalidInputError('A window is of two different hours from 0 to 24, such as 9-17.');
  const inside = (hour: number) => (from < to ? from <= hour && hour < to : hour >= from || hour < to);
  return Array.from({ length: 24 }, (_, hour) => hour)
    .filter((hour) => !inside(hour))
    .map((hour) => ({ hour, minute: '*' as const, second: '*' as const }));
}

function termsOf({ name, cron, rate, blackout, jitterMs }: ChaosScheduleRequest): ChaosScheduleTerms {
  return {
    name,
    ...(cron === undefined ? {} : { cron }),
    ...(rate === undefined ? {} : { rate }),
    ...(blackout === undefined ? {} : { blackout }),
    ...(jitterMs === undefined ? {} : { jitterMs }),
  };
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
