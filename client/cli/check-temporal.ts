import type { Connection } from '@temporalio/client';
import type { Config } from '../../config';
import { broken, type Check, type Finding, ok, warning } from '../../core/doctor';
import { messageOf } from '../../core/errors';
import { SEARCH_ATTRIBUTES } from '../../core/local-stack';
import { connectTemporal } from '../connect-temporal';
import { judgeFairness, probeFairness } from './probe-fairness';

/** IndexedValueType: INDEXED_VALUE_TYPE_KEYWORD. Source: temporal/api/enums/v1/common.proto. */
const KEYWORD = 2;

/** Temporal's frontend, the namespace, the search attributes, and whether a worker listens. */
export function checkTemporal(config: Config['temporal']): Check {
  return {
    name: 'Temporal',
    fallbackFix: 'Start the server, or correct temporal.address in the configuration.',
    look: async () => {
      const connection = await connectTemporal(config);
      try {
        const { namespace } = config;
        await connection.workflowService.describeNamespace({ namespace });
        const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
        const { pollers } = await connection.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: config.taskQueue },
          // TASK_QUEUE_TYPE_WORKFLOW
          taskQueueType: 1,
        });
        return [
          ok('Temporal', `${config.address}, namespace ${namespace}`),
          judgeAttributes(customAttributes),
          await checkFairness(connection, namespace),
          judgePollers(config.taskQueue, pollers.length),
        ];
      } finally {
        await connection.close();
      }
    },
  };
}

/** A server that cannot be probed is one to look at, not one that nothing works with. */
async function checkFairness(connection: Connection, namespace: string): Promise<Finding> {
  try {
    return judgeFairness(await probeFairness(connection, namespace));
  } catch (error) {
    return warning(
      'priority and fairness',
      `could not be probed: ${messageOf(error)}`,
      'Run doctor with the rights to start and terminate workflows.',
    );
  }
}

export function judgeAttributes(present: Readonly<Record<string, unknown>>): Finding {
  const name = 'search attributes';
  const missing = SEARCH_ATTRIBUTES.filter((attribute) => present[attribute] !== KEYWORD);
  if (missing.length === 0) return ok(name, SEARCH_ATTRIBUTES.join(', '));
  return broken(
    name,
    `missing, or not of type Keyword: ${missing.join(', ')}`,
    `temporal operator search-attribute create ${missing.map((one) => `--name ${one} --type Keyword`).join(' ')}`,
  );
}

function judgePollers(taskQueue: string, pollers: number): Finding {
  return pollers > 0
    ? ok('worker', `${pollers} on task queue ${taskQueue}`)
    : warning('worker', `none listens on task queue ${taskQueue}`, 'Start one with `chronawflow worker`.');
}
