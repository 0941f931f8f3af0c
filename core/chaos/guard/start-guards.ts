import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DependencyMissingError } from '../../errors';
import { GuardsNotReadyError } from '../errors';
import { isAlive, type LeaseJournal, type ProcessRef, refOf } from '../lease';
import { makeDirectory } from '../lease/durable-file';
import { type GuardName, readGuard } from './guard';
import { type GuardStart, isUnderWay } from './guard-start';

/** How this host starts the processes that have to outlive the one which asks. */
export interface ChaosPrograms {
  /** The built workers/reaper.js. */
  readonly reaper: string;
  /** The built workers/chaos-driver.js. */
  readonly driver: string;
  /** Added to this process's environment; they read the same configuration file. */
  readonly env?: Readonly<Record<string, string>>;
}

/** @param workers directory of the built entry points; default: the one beside this code */
export function chaosPrograms(
  workers = join(__dirname, '..', '..', '..', 'workers'),
  env?: Readonly<Record<string, string>>,
): ChaosPrograms {
  const programs = { reaper: join(workers, 'reaper.js'), driver: join(workers, 'chaos-driver.js'), env };
  if (!existsSync(programs.reaper))
    throw new DependencyMissingError(`It is not built: ${programs.reaper} is not there.`, {
      hint: 'Run `npm run build`.',
    });
  return programs;
}

/**
 * A Node program in a session of its own, so that no signal to this process's group or terminal reaches it.
 *
 * @returns its process; undefined when it has ended already.
 */
export async function startApart(
  program: string,
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessRef | undefined> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], {
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ...env },
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
    return await refOf(child.pid ?? 0);
  } finally {
    await log.close();
  }
}

export async function startGuard(
  directory: string,
  programs: ChaosPrograms,
  name: GuardName,
): Promise<ProcessRef | undefined> {
  await makeDirectory(directory);
  const logFile = join(directory, `guard-${name}.log`);
  return startApart(programs.reaper, ['--guard', name], logFile, programs.env);
}

const LIMIT_MS = 30_000;

/** Starts the guards that do not run and waits until both have acknowledged the lease. @throws GuardsNotReadyError */
export async function guardsFor(
  journal: LeaseJournal,
  programs: ChaosPrograms,
  leaseId: string,
): Promise<void> {
  const begun = performance.now();
  const starting = new Map<GuardName, GuardStart>();
  for (;;) {
    const waiting: GuardName[] = [];
    for (const name of ['a', 'b'] as const) {
      if (await journal.isMarked(leaseId, `guard-${name}`)) continue;
      waiting.push(name);
      const ref = await readGuard(journal.directory, name);
      if ((ref !== undefined && (await isAlive(ref))) || (await isUnderWay(starting.get(name)))) continue;
      starting.set(name, { at: performance.now(), ref: await startGuard(journal.directory, programs, name) });
    }
    if (waiting.length === 0) return;
    if (performance.now() - begun > LIMIT_MS) throw new GuardsNotReadyError(journal.directory, LIMIT_MS);
    await sleep(20);
  }
}
