import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common';
import { type Finding, ok, warning } from '../../core/doctor';

/** What a queue without workers showed. */
export interface FairnessFacts {
  /** Tasks that the server counts at the priority that they were given; without the new matcher all of them are at 3. */
  readonly atTheirPriority: boolean;
  /** How many of the one busy tenant's tasks came before each task of a tenant that has only one, on average. */
  readonly before: number;
}

/** Tasks of one tenant, given first. */
export const BUSY = 40;
/** Tenants with one task each, given last: several, because a queue's partitions each have an order of their own. */
const OTHERS = 8;
const TASKS = BUSY + OTHERS;
const PRIORITY = 1;
/** Whatever becomes of the doctor, nothing of the probe lives longer. */
const PROBE_LIMIT = '1m';
const TASK_LIMIT = msToTs(PROBE_LIMIT);
/** An answer to one request of the probe. */
const ANSWER_LIMIT_MS = 5_000;

/**
 * Asks the server itself, because its dynamic configuration cannot be read from outside: a queue that no worker polls gets
 * tasks of many tenants, is looked at, and is emptied by taking the tasks. One workflow, which is ended in any case.
 *
 * Source: temporal server 1.29, `matching.useNewMatcher` and `matching.enableFairness` in common/dynamicconfig/constants.go.
 */
export async function probeFairness(connection: Connection, namespace: string): Promise<FairnessFacts> {
  const client = new Client({ connection, namespace });
  const workflowId = `doctor/${randomUUID()}`;
  const queue = { namespace, taskQueue: { name: `chronawflow-${workflowId}` } };
  const handle = await client.workflow.start('chronawflowDoctor', {
    workflowId,
    taskQueue: queue.taskQueue.name,
    workflowExecutionTimeout: PROBE_LIMIT,
  });
  try {
    return await connection.withDeadline(Date.now() + 4 * ANSWER_LIMIT_MS, async () => {
      // What is given at once arrives in any order.
      await giveTasks(connection, queue, 0, BUSY);
      await counted(connection, queue, BUSY);
      await giveTasks(connection, queue, BUSY, TASKS);
      const atTheirPriority = await counted(connection, queue, TASKS);
      return { atTheirPriority, before: await takeTasks(connection, queue) };
    });
  } finally {
    // What cannot be ended now ends by its limit.
    await handle.terminate('the doctor is done').catch(() => undefined);
  }
}

interface Queue {
  readonly namespace: string;
  readonly taskQueue: { readonly name: string };
}

const IDENTITY = { identity: 'chronawflow doctor' };

/** Answers the workflow's next task with activities, and has another one made. */
async function giveTasks(
  { workflowService }: Connection,
  queue: Queue,
  from: number,
  to: number,
): Promise<void> {
  const { taskToken } = await workflowService.pollWorkflowTaskQueue({ ...queue, ...IDENTITY });
  await workflowService.respondWorkflowTaskCompleted({
    ...IDENTITY,
    namespace: queue.namespace,
    taskToken,
    forceCreateNewWorkflowTask: true,
    commands: Array.from({ length: to - from }, (_, n) => ({
      // COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
      commandType: 1,
      scheduleActivityTaskCommandAttributes: {
        activityId: String(from + n),
        activityType: { name: 'chronawflowDoctor' },
        taskQueue: queue.taskQueue,
        scheduleToCloseTimeout: TASK_LIMIT,
        startToCloseTimeout: TASK_LIMIT,
        priority: { priorityKey: PRIORITY, fairnessKey: from < BUSY ? 'busy' : `other ${n}` },
      },
    })),
  });
}

/** Waits until the server counts so many tasks. @returns whether they are where they belong */
async function counted({ workflowService }: Connection, queue: Queue, tasks: number): Promise<boolean> {
  const limit = Date.now() + ANSWER_LIMIT_MS;
  for (;;) {
    const { statsByPriorityKey } = await workflowService.describeTaskQueue({
      ...queue,
      // TASK_QUEUE_TYPE_ACTIVITY
      taskQueueType: 2,
      reportStats: true,
    });
    const counts = Object.entries(statsByPriorityKey).map(
      ([key, stats]) => [key, Number(stats.approximateBacklogCount ?? 0)] as const,
    );
    const all = counts.reduce((sum, [, count]) => sum + count, 0);
    if (all >= tasks || Date.now() > limit)
      return all > 0 && counts.every(([key, count]) => count === 0 || key === String(PRIORITY));
    await sleep(100);
  }
}

/** Takes them one by one. @returns tasks of the busy tenant before each of the others, on average */
async function takeTasks({ workflowService }: Connection, queue: Queue): Promise<number> {
  let busy = 0;
  let before = 0;
  for (let n = 0; n < TASKS; n += 1) {
    const task = await workflowService.pollActivityTaskQueue({ ...queue, ...IDENTITY });
    if (Number(task.activityId) < BUSY) busy += 1;
    else before += busy;
  }
  return before / OTHERS;
}

const FIX =
  'Set matching.useNewMatcher and matching.enableFairness to true in the server’s dynamic configuration ' +
  '(deploy/temporal/dynamic-config.yaml). Caps and fair shares hold without them: the queue hands over only what may run.';

/** What the facts say about the server: in order of arrival the others come after nearly all of the busy tenant's. */
export function judgeFairness({ atTheirPriority, before }: FairnessFacts): Finding {
  const name = 'priority and fairness';
  if (!atTheirPriority)
    return warning(name, 'the server does not order tasks by priority (matching.useNewMatcher)', FIX);
  if (before > BUSY / 2)
    return warning(name, 'the server does not order tasks fairly (matching.enableFairness)', FIX);
  return ok(name, 'the server orders tasks by both');
}
