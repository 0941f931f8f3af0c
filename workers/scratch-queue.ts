import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/**
 * Queue of the steps that need this host's scratch clusters. The same after a restart, so that a worker that was
 * killed finds its scratch clusters' steps again; another one for another scratch directory on the same host.
 */
export function scratchTaskQueue(taskQueue: string, scratchDirectory: string, host = hostname()): string {
  const place = createHash('sha256').update(scratchDirectory).digest('hex').slice(0, 8);
  return `${taskQueue}-scratch-${host}-${place}`;
}
