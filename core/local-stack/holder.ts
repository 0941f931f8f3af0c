import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { processIdentity } from '../cluster';
import { hasCode } from '../errors';
import { StackBusyError } from './stack-busy-error';

const holder = z.strictObject({ pid: z.number().int(), identity: z.string() });

/** The process that starts, watches or stops the stack at the moment; undefined when there is none any more. */
export async function currentHolder(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  // Empty when its writer was killed between the two system calls.
  if (text === undefined || text === '') return undefined;
  const { pid, identity } = holder.parse(JSON.parse(text));
  return (await processIdentity(pid)) === identity ? pid : undefined;
}

/**
 * Makes this process the holder. What a killed holder left is removed.
 *
 * @throws StackBusyError while another one lives.
 * @returns how to let go.
 */
export async function takeStack(file: string): Promise<() => Promise<void>> {
  await mkdir(dirname(file), { recursive: true });
  const pid = await currentHolder(file);
  if (pid !== undefined) throw new StackBusyError(dirname(file), pid);
  await rm(file, { force: true });
  const text = JSON.stringify({ pid: process.pid, identity: await processIdentity(process.pid) });
  try {
    // Exclusive: of two that come at the same time one is refused.
    await writeFile(file, text, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new StackBusyError(dirname(file), await currentHolder(file));
    throw error;
  }
  return () => rm(file, { force: true });
}
