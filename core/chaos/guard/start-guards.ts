import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withProcessLock } from '../../cluster';
import { DependencyMissingError } from '../../errors';
import { GuardsNotReadyError } from '../errors';
import { type LeaseJournal, type ProcessRef, refOf } from '../lease';
import { makeDirectory } from '../lease/durable-file';
import { GUARDS, type GuardName, isGuardAlive } from './guard-record';
import { isUnderWay, noteStart } from './guard-start';

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
 * Calls into a file system that hangs hold a thread each until it answers, and Node has four. A host has fewer targets than this,
 * and each has one fault. Source: https://nodejs.org/api/cli.html#uv_threadpool_sizesize
 */
const FILE_SYSTEM_THREADS = '64';

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
      env: { UV_THREADPOOL_SIZE: FILE_SYSTEM_THREADS, ...process.env, ...env },
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
    return await refOf(child.pid ?? 0);
  } finally {
    await log.close();
  }
}

/**
 * Starts the guard unless it lives or is on its way. Everybody who lives for a fault may find it dead at the same moment; one of
 * them starts it, since several would only take the processor from each other.
 */
export async function keepGuard(directory: string, programs: ChaosPrograms, name: GuardName): Promise<void> {
  if (await isThere(directory, name)) return;
  await makeDirectory(directory);
  await withProcessLock(join(directory, `guard-${name}.lock`), async () => {
    if (await isThere(directory, name)) return;
    const logFile = join(directory, `guard-${name}.log`);
    const started = await startApart(programs.reaper, ['--guard', name], logFile, programs.env);
    await noteStart(directory, name, started);
  });
}

async function isThere(directory: string, name: GuardName): Promise<boolean> {
  return (await isGuardAlive(directory, name)) || (await isUnderWay(directory, name));
}

const LIMIT_MS = 30_000;

/** Starts the guards that do not run and waits until both have acknowledged the lease. @throws GuardsNotReadyError */
export async function guardsFor(
  journal: LeaseJournal,
  programs: ChaosPrograms,
  leaseId: string,
): Promise<void> {
  const begun = performance.now();
  for (;;) {
    let waiting = false;
    for (const name of GUARDS) {
      if (await journal.isMarked(leaseId, `guard-${name}`)) continue;
      waiting = true;
      await keepGuard(journal.directory, programs, name);
    }
    if (!waiting) return;
    if (performance.now() - begun > LIMIT_MS) throw new GuardsNotReadyError(journal.directory, LIMIT_MS);
    await sleep(20);
  }
}
