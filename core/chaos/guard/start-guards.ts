import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DependencyMissingError } from '../../errors';
import { GuardsNotReadyError } from '../errors';
import { isAlive, type LeaseJournal } from '../lease';
import { makeDirectory } from '../lease/durable-file';
import { type GuardName, readGuard } from './guard';

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

/** A Node program in a session of its own, so that no signal to this process's group or terminal reaches it. */
export async function startApart(
  program: string,
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], {
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ...env },
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
  } finally {
    await log.close();
  }
}

export async function startGuard(directory: string, programs: ChaosPrograms, name: GuardName): Promise<void> {
  await makeDirectory(directory);
  await startApart(programs.reaper, ['--guard', name], join(directory, `guard-${name}.log`), programs.env);
}

const LIMIT_MS = 30_000;
const AGAIN_AFTER_MS = 5_000;

/** Starts the guards that do not run and waits until both have acknowledged the lease. @throws GuardsNotReadyError */
export async function guardsFor(
  journal: LeaseJournal,
  programs: ChaosPrograms,
  leaseId: string,
): Promise<void> {
  const begun = performance.now();
  const started = new Map<GuardName, number>();
  for (;;) {
    const waiting: GuardName[] = [];
    for (const name of ['a', 'b'] as const) {
      if (await journal.isMarked(leaseId, `guard-${name}`)) continue;
      waiting.push(name);
      const ref = await readGuard(journal.directory, name);
      const alive = ref !== undefined && (await isAlive(ref));
      if (alive || performance.now() - (started.get(name) ?? Number.NEGATIVE_INFINITY) < AGAIN_AFTER_MS)
        continue;
      started.set(name, performance.now());
      await startGuard(journal.directory, programs, name);
    }
    if (waiting.length === 0) return;
    if (performance.now() - begun > LIMIT_MS) throw new GuardsNotReadyError(journal.directory, LIMIT_MS);
    await sleep(20);
  }
}
