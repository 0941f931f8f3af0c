import { readFile } from 'node:fs/promises';
import { runProgram } from './run-program';

/**
 * What tells a process from a later one with the same PID: when it started, in the system's own notation.
 * undefined when there is no such process, or only the entry of one that ended and was not waited for.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
      throw error;
    });
    return text === undefined ? undefined : startTicks(text);
  }
  return runProgram('ps', ['-o', 'lstart=,state=', '-p', String(pid)]).then(
    ({ stdout }) => (/ Z\S*\s*$/.test(stdout) ? undefined : stdout.trim()),
    () => undefined,
  );
}

/**
 * Field 22 of /proc/PID/stat; the second field is the program's name in parentheses and may hold spaces and
 * parentheses itself. Source: proc(5).
 */
export function startTicks(stat: string): string | undefined {
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : rest[18];
}
