/**
 * The queue of the controllers' workflows and activities: apart from the work that they protect, and served by a process of
 * its own (`chronawflow worker --control`).
 *
 * @param taskQueue `temporal.taskQueue` of the configuration.
 */
export function controlTaskQueue(taskQueue: string): string {
  return `${taskQueue}-control`;
}
