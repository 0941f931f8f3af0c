import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { startDetached } from '../../../cluster';
import { DependencyMissingError, whenMissing } from '../../../errors';
import { isAlive, type ProcessRef, refOf } from '../../lease';

/** A process of this host that the configuration names by its PID file. */
export interface Unit {
  readonly pidFile: string;
  readonly command?: string;
  readonly start?: {
    readonly program: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
}

const record = z.looseObject({ pid: z.number().int().positive(), identity: z.string().optional() });

/**
 * The unit's process, or undefined when it does not run. A PID that was given to another program meanwhile is not it: start time
 * (where the file has it) and command line have to fit.
 */
export async function findUnit({ pidFile, command }: Unit): Promise<ProcessRef | undefined> {
  const text = await readFile(pidFile, 'utf8').catch(whenMissing(''));
  const named = parsePidFile(text);
  if (named === undefined) return undefined;
  const ref = await refOf(named.pid);
  if (ref === undefined || (named.identity !== undefined && named.identity !== ref.startedAt))
    return undefined;
  if (command !== undefined && !(await commandLine(named.pid)).includes(command)) return undefined;
  return (await isAlive(ref)) ? ref : undefined;
}

/** A PID alone in the first line, as most daemons write it, or a record in JSON. */
export function parsePidFile(text: string): { readonly pid: number; readonly identity?: string } | undefined {
  if (text.trimStart().startsWith('{')) return record.safeParse(safeJson(text)).data;
  const pid = /^\s*(\d{1,10})\s*(\n|$)/.exec(text)?.[1];
  return pid === undefined || Number(pid) === 0 ? undefined : { pid: Number(pid) };
}

/** Starts the unit as the configuration says; one that runs is left as it is. */
export async function startUnit({ pidFile, start }: Unit): Promise<void> {
  if (start === undefined)
    throw new DependencyMissingError(
      `${pidFile}: the process does not run, and nothing says how to start it.`,
      {
        hint: 'Give the target a `start`, or start it by hand.',
      },
    );
  await startDetached({
    file: start.program,
    args: start.args,
    env: start.env,
    recordFile: pidFile,
    logFile: `${pidFile}.log`,
  });
}

async function commandLine(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(whenMissing(''));
  return text.replaceAll('\0', ' ');
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
