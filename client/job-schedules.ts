import {
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
} from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import { z } from 'zod';
import { duration } from '../config';
import { InvalidInputError } from '../core/errors';
import {
  JOB_SCHEDULES,
  type JobPriority,
  type JobQueue,
  jobScheduleId,
  jobTaskQueue,
  type ScheduledJobInput,
  scheduledKey,
} from '../core/jobs';
import { PayloadKeyDestroyedError, type ScheduleRecord } from '../core/payload-codec';
import { searchAttributeNames } from '../workflows/contract';
import { jobCapability, scheduledJobWorkflowName } from '../workflows/job-contract';
import { describeIfThere, removeIfThere } from './schedule-if-there';
import type { TemporalLink } from './temporal-link';

/** How long, as `'5m'`-style text or milliseconds. */
type Time = string | number;

export interface JobScheduleRequest {
  readonly tenant: string;
  /** Names the schedule among the tenant's; its jobs have the keys `<name>/<time of the plan>`. */
  readonly name: string;
  readonly type: string;
  readonly input: unknown;
  readonly priority?: JobPriority;
  /** Five fields, such as `0 3 1 * *`, in the time zone; or `every`. */
  readonly cron?: string;
  /** Whole seconds, counted from the epoch. */
  readonly every?: Time;
  /** IANA name, for `cron`; default UTC. */
  readonly timeZone?: string;
  /** Each run begins up to this much later, at random, so that tenants do not all begin at once; default 0. */
  readonly jitter?: Time;
  /** A run that was due while Temporal was away is made up for within this time; default 1 hour, at least 10 seconds. */
  readonly catchUp?: Time;
}

export interface JobScheduleState {
  readonly tenant: string;
  readonly name: string;
  readonly type: string;
  readonly cron?: string;
  readonly everyMs?: number;
  readonly timeZone: string;
  readonly jitterMs: number;
  readonly catchUpMs: number;
  readonly paused: boolean;
  /** Why it is paused. */
  readonly note?: string;
  readonly nextRuns: readonly string[];
  readonly runs: number;
  /** Runs that were due longer ago than the catch-up allows: nothing was done. */
  readonly missed: number;
}

/** Temporal's own least catch-up window. */
const LEAST_CATCH_UP_MS = 10_000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/;

const times = z.object({
  cron: z.string().min(1).optional(),
  every: duration
    .refine((ms) => ms >= 1_000 && ms % 1_000 === 0, { message: 'whole seconds, at least one' })
    .optional(),
  timeZone: z.string().min(1).default('UTC'),
  jitter: duration.prefault(0),
  catchUp: duration.prefault('1h').refine((ms) => ms >= LEAST_CATCH_UP_MS, { message: 'at least 10 s' }),
});

/** Regular jobs of single tenants, as Temporal Schedules. */
export class JobSchedules {
  constructor(
    private readonly link: TemporalLink,
    private readonly queue: () => Promise<JobQueue>,
    /** Where payloads are encrypted. */
    private readonly record?: ScheduleRecord,
  ) {}

  /**
   * Creates the schedule, or changes it when the tenant has one of this name.
   *
   * @throws InvalidInputError, UnknownJobTypeError, InputTooLargeError, UnknownJobTenantError (UNKNOWN_TENANT),
   *   PayloadKeyDestroyedError
   */
  async set(request: JobScheduleRequest): Promise<void> {
    const { tenant, name, type, priority } = request;
    if (!NAME.test(name)) {
      throw new InvalidInputError(`'${name}' cannot name a schedule.`, {
        hint: 'Use letters, digits, dots, underscores and dashes, 40 at most.',
      });
    }
    const { spec, policies } = planOf(request);
    // Checked now and not at three in the morning.
    const key = scheduledKey(name, new Date(0).toISOString());
    const input = await (await this.queue()).verify({ tenant, type, key, priority, input: request.input });
    const scheduleId = jobScheduleId(tenant, name);
    const job: ScheduledJobInput = { tenant, name, type, input, ...(priority ? { priority } : {}) };
    const typedSearchAttributes = [
      { key: defineSearchAttributeKey(searchAttributeNames.tenant, 'KEYWORD'), value: tenant },
      { key: defineSearchAttributeKey(searchAttributeNames.capability, 'KEYWORD'), value: jobCapability },
    ];
    const options = {
      spec,
      action: {
        type: 'startWorkflow' as const,
        workflowType: scheduledJobWorkflowName,
        workflowId: scheduleId,
        taskQueue: jobTaskQueue(this.link.taskQueue),
        args: [job],
        memo: request.cron === undefined ? {} : { cron: request.cron },
        typedSearchAttributes,
      },
      policies,
    };
    await this.record?.note(tenant, scheduleId);
    await this.link.request(scheduleId, async () => {
      try {
        await this.link.client.schedule.create({ scheduleId, typedSearchAttributes, ...options });
      } catch (error) {
        if (!(error instanceof ScheduleAlreadyRunning)) throw refused(error);
        await this.handleOf(tenant, name)
          .update(({ state }) => ({ ...options, state }))
          .catch((cause: unknown) => {
            throw refused(cause);
          });
      }
    });
    await this.stillOpen(tenant, name);
  }

  /** Takes back what was set while somebody began to destroy the tenant's keys and looked for its schedules. */
  private async stillOpen(tenant: string, name: string): Promise<void> {
    try {
      await this.record?.note(tenant, jobScheduleId(tenant, name));
    } catch (error) {
      if (error instanceof PayloadKeyDestroyedError)
        await this.link.request(jobScheduleId(tenant, name), () =>
          removeIfThere(this.handleOf(tenant, name)),
        );
      throw error;
    }
  }

  /** All schedules of jobs, or one tenant's; what was set a moment ago may not be among them yet. */
  async list(tenant?: string): Promise<readonly JobScheduleState[]> {
    return this.link.request('schedules', async () => {
      const found: JobScheduleState[] = [];
      for await (const { scheduleId } of this.link.client.schedule.list()) {
        if (!scheduleId.startsWith(JOB_SCHEDULES)) continue;
        const [owner, name] = scheduleId.slice(JOB_SCHEDULES.length).split('/').map(decodeURIComponent);
        if (owner === undefined || name === undefined || (tenant ?? owner) !== owner) continue;
        const description = await describeIfThere(this.link.client.schedule.getHandle(scheduleId));
        if (description !== undefined) found.push(stateOf(owner, name, description));
      }
      return found;
    });
  }

  /** No more jobs of it come until it is resumed; runs that are due meanwhile are not made up for. */
  pause(tenant: string, name: string, note: string): Promise<void> {
    return this.with(tenant, name, (handle) => handle.pause(note));
  }

  resume(tenant: string, name: string): Promise<void> {
    return this.with(tenant, name, (handle) => handle.unpause());
  }

  /** Ends the schedule; jobs that it submitted stay. */
  remove(tenant: string, name: string): Promise<void> {
    return this.with(tenant, name, (handle) => handle.delete());
  }

  /** @throws InvalidInputError when there is no such schedule */
  private with(
    tenant: string,
    name: string,
    act: (handle: ScheduleHandle) => Promise<unknown>,
  ): Promise<void> {
    return this.link.request(jobScheduleId(tenant, name), async () => {
      try {
        await act(this.handleOf(tenant, name));
      } catch (error) {
        if (!(error instanceof ScheduleNotFoundError)) throw error;
        throw new InvalidInputError(`Tenant ${tenant} has no schedule ${name}.`, {
          hint: 'List them with `chronawflow jobs schedule list`.',
        });
      }
    });
  }

  private handleOf(tenant: string, name: string): ScheduleHandle {
    return this.link.client.schedule.getHandle(jobScheduleId(tenant, name));
  }
}

/** What the request says about time, in Temporal's terms. */
function planOf(request: JobScheduleRequest) {
  const parsed = times.safeParse(request);
  if (!parsed.success) throw new InvalidInputError(`The schedule is wrong: ${z.prettifyError(parsed.error)}`);
  const { cron, every, timeZone, jitter, catchUp } = parsed.data;
  if ((cron === undefined) === (every === undefined))
    throw new InvalidInputError('A schedule has either `cron` or `every`.');
  return {
    spec: {
      ...(cron === undefined ? {} : { cronExpressions: [cron] }),
      ...(every === undefined ? {} : { intervals: [{ every }] }),
      timezone: timeZone,
      jitter,
    },
    // Each run only puts a job into the queue, whose caps decide what runs at once.
    policies: { overlap: 'ALLOW_ALL' as const, catchupWindow: catchUp },
  };
}

/** The server is who reads cron expressions and knows time zones; what it refuses, its client throws as a TypeError. */
function refused(error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  return new InvalidInputError(`Temporal refuses the schedule: ${error.message}`, { cause: error });
}

function stateOf(
  tenant: string,
  name: string,
  { spec, policies, state, info, action }: ScheduleDescription,
): JobScheduleState {
  const [job] = action.args ?? [];
  const everyMs = spec.intervals?.[0]?.every;
  const cron = action.memo?.cron;
  return {
    tenant,
    name,
    type: typeof job === 'object' && job !== null ? String(Reflect.get(job, 'type')) : '',
    // The server keeps calendars, not the expression that they come from.
    ...(typeof cron === 'string' ? { cron } : {}),
    ...(typeof everyMs === 'number' ? { everyMs } : {}),
    timeZone: spec.timezone ?? 'UTC',
    jitterMs: Number(spec.jitter ?? 0),
    catchUpMs: policies.catchupWindow,
    paused: state.paused,
    ...(state.note ? { note: state.note } : {}),
    nextRuns: info.nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
    runs: info.numActionsTaken,
    missed: info.numActionsMissedCatchupWindow,
  };
}
