import type { NativeConnection } from '@temporalio/worker';
import { DependencyMissingError, messageOf } from '../core/errors';
import { searchAttributeNames } from '../workflows/contract';

/** `INDEXED_VALUE_TYPE_KEYWORD` of temporal.api.enums.v1. */
const KEYWORD = 2;

/**
 * Workflows set these search attributes, and a workflow that sets an unknown one stands still. So they are there before
 * the first one runs, or the worker does not start.
 */
export async function ensureSearchAttributes(connection: NativeConnection, namespace: string): Promise<void> {
  const wanted = Object.values(searchAttributeNames);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = wanted.filter((name) => customAttributes?.[name] === undefined);
    if (missing.length === 0) return;
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (cause) {
    if (isPassing(cause)) throw cause;
    throw new DependencyMissingError(
      `The search attributes ${wanted.join(', ')} (type Keyword) cannot be registered in namespace ${namespace}: ${messageOf(cause)}.`,
      {
        cause,
        hint: `Have them added by somebody who may: ${wanted
          .map((name) => `temporal operator search-attribute create --name ${name} --type Keyword`)
          .join(' && ')}`,
      },
    );
  }
}

/** gRPC's DEADLINE_EXCEEDED and UNAVAILABLE: the server is not there yet, and the worker is started again. */
function isPassing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 4 || error.code === 14);
}
