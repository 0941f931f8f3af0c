import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerOptions } from '@temporalio/worker';

/** The bundle that the build made, which starts without webpack; from the sources otherwise. */
export function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const directory = join(__dirname, '..', 'workflows');
  const codePath = join(directory, 'bundle.js');
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath: directory };
}
