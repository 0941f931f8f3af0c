import type { Client } from '@temporalio/client';
import type { Config } from '../config';
import type { QueueFlooding } from '../core/chaos';

/** No worker has it, so the tasks of its runs are refused and given out again. */
const UNKNOWN_WORKFLOW = 'chaosFlood';
const AT_ONCE = 20;

/** Longer than a pause of 5 s, and within the 8 s that one attempt to end a fault has (core/chaos/attempt-end.ts). */
const CONNECT_LIMIT = '6s';

/** Connects for each request: a fault's processes live long, and Temporal may be what is away. */
export function queueFlooding(config: Config['temporal']): QueueFlooding {
  const withClient = async <T>(signal: AbortSignal, work: (client: Client) => Promise<T>): Promise<T> => {
    const { Client, connectTemporal } = await load();
    const connection = await connectTemporal(config, CONNECT_LIMIT);
    try {
      const client = new Client({ connection, namespace: config.namespace });
      return await connection.withAbortSignal(signal, () => work(client));
    } finally {
      await connection.close();
    }
  };
  return {
    makeReady: async () => {
      await load();
    },
    start: ({ taskQueue, prefix, count, lifetimeMs, signal }) =>
      withClient(signal, async (client) => {
        await each(count, async (n) => {
          try {
            await client.workflow.start(UNKNOWN_WORKFLOW, {
              workflowId: `${prefix}${n}`,
              taskQueue,
              args: [],
              workflowExecutionTimeout: Math.max(1_000, lifetimeMs),
              workflowIdReusePolicy: 'REJECT_DUPLICATE',
            });
          } catch (error) {
            if (!isNamed(error, 'WorkflowExecutionAlreadyStartedError')) throw error;
          }
        });
      }),
    end: ({ prefix, count, signal }) =>
      withClient(signal, async (client) => {
        await each(count, async (n) => {
          try {
            await client.workflow.getHandle(`${prefix}${n}`).terminate('the experiment is over');
          } catch (error) {
            if (!isNamed(error, 'WorkflowNotFoundError')) throw error;
          }
        });
      }),
    running: ({ prefix, count, signal }) =>
      withClient(signal, async (client) => {
        let running = 0;
        await each(count, async (n) => {
          try {
            const { status } = await client.workflow.getHandle(`${prefix}${n}`).describe();
            if (status.name === 'RUNNING') running += 1;
          } catch (error) {
            if (!isNamed(error, 'WorkflowNotFoundError')) throw error;
          }
        });
        return running;
      }),
  };
}

/** Loaded only when needed: guards and faults' processes start a third faster without it, and hardly any needs it. */
async function load() {
  const { Client } = await import('@temporalio/client');
  const { connectTemporal }: typeof import('./connect-temporal') = require('./connect-temporal');
  return { Client, connectTemporal };
}

async function each(count: number, work: (n: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - first);
    await Promise.all(Array.from({ length: size }, (_, at) => work(first + at)));
  }
}

/** Temporal's errors by their names: their classes are loaded with the client only. */
function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
