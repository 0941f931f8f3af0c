import { join } from 'node:path';
import { findPostgresBin, initServer, makeServerDirectory, runProgram } from '../../core/cluster';
import { guardAgainstOrphans } from './orphan-guard';
import { removeDirectory, throwawayDirectory } from './throwaway-directory';

/** Where the run's template is: for the processes of its test files. */
const PLACE = 'CHRONAWFLOW_TEST_CLUSTER_TEMPLATE';

let remove: () => Promise<void> = async () => undefined;

/** One initdb for a whole run of tests: a copy of what it made costs a tenth of it. */
export async function makeClusterTemplate(): Promise<void> {
  const bin = await findPostgresBin().catch(() => undefined);
  // The tests that need it say so themselves.
  if (bin === undefined) return;
  const directory = await throwawayDirectory('template');
  const callOff = guardAgainstOrphans(directory);
  remove = async () => {
    await removeDirectory(directory);
    await callOff();
  };
  const dataDirectory = join(directory, 'data');
  await initServer({ bin, dataDirectory, authLocal: 'trust', authHost: 'trust', noSync: true });
  process.env[PLACE] = dataDirectory;
}

export const removeClusterTemplate = () => remove();

/**
 * An empty cluster without checksums where everybody may log in, with the system identifier that all of this run have.
 *
 * @returns whether there was a template
 */
export async function copyClusterTemplate(dataDirectory: string): Promise<boolean> {
  const template = process.env[PLACE];
  if (template === undefined) return false;
  await makeServerDirectory(dataDirectory);
  await runProgram('cp', ['-a', `${template}/.`, dataDirectory]);
  return true;
}
