import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerOptions } from '@temporalio/worker';
import type { Config } from '../config';

/**
 * The bundle that the build made, which starts without webpack; from the sources otherwise. For encrypted payloads it is
 * another one (scripts/build/workflow-bundle.mjs), because the failure converter is part of a bundle.
 */
export function workflowSource({
  payloads,
}: Pick<Config, 'payloads'>): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'interceptors'> {
  const directory = join(__dirname, '..', 'workflows');
  const encrypted = payloads !== undefined;
  const codePath = join(directory, encrypted ? 'bundle-encrypted.js' : 'bundle.js');
  if (existsSync(codePath)) return { workflowBundle: { codePath } };
  return {
    workflowsPath: directory,
    ...(encrypted && {
      interceptors: { workflowModules: [require.resolve(join(directory, 'plain-input'))] },
    }),
  };
}
