import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isExecutable, type PostgresBin } from '../../cluster';

/**
 * A PostgreSQL program beside the server. A directory of PATH may hold links to the server alone; its siblings are
 * then where the link leads.
 *
 * @returns undefined when it is not installed.
 */
export async function serverProgram(bin: PostgresBin, name: string): Promise<string | undefined> {
  const beside = join(bin.directory, name);
  if (await isExecutable(beside)) return beside;
  const real = join(dirname(await realpath(join(bin.directory, 'postgres'))), name);
  return (await isExecutable(real)) ? real : undefined;
}
