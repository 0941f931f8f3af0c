import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../cluster';
import { hasCode } from '../../errors';

/** pgBackRest's processes end within about a second after SIGTERM. */
const GRACE_MS = 5000;
const POLL_MS = 50;

/**
 * Ends what an earlier try left running on a data directory: a restore whose worker was killed goes on by itself, and
 * pgBackRest takes no lock that would keep a second one out. Such a process is known by its argument, which names a
 * directory that only this restore uses.
 */
export async function endLeftovers(dataDirectory: string): Promise<void> {
  const argument = `--pg1-path=${dataDirectory}`;
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const pids = await processesWith(argument);
    if (pids.length === 0) return;
    const late = Date.now() > deadline;
    for (const pid of pids) signal(pid, late ? 'SIGKILL' : 'SIGTERM');
    await sleep(POLL_MS);
  }
}

/** Processes that have exactly this argument, other than this one. */
export async function processesWith(argument: string): Promise<number[]> {
  const pids = process.platform === 'linux' ? await fromProc(argument) : await fromPs(argument);
  return pids.filter((pid) => pid !== process.pid);
}

async function fromProc(argument: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(unlessGone);
      return commandLine.split('\0').includes(argument);
    }),
  );
  return pids.filter((_, index) => found[index]).map(Number);
}

async function fromPs(argument: string): Promise<number[]> {
  const { stdout } = await runProgram('ps', ['-axww', '-o', 'pid=,command=']);
  return stdout
    .split('\n')
    .filter((line) => `${line} `.includes(` ${argument} `))
    .map((line) => Number.parseInt(line, 10));
}

function unlessGone(error: unknown): string {
  if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return '';
  throw error;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
