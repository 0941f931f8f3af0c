#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { loadConfig } from '../config';
import { abortAll, chaosPrograms, Guard, keepGuard } from '../core/chaos';
import { ChronawflowError, InvalidInputError, messageOf } from '../core/errors';
import { chaosHost } from './chaos-host';
import { createLogger } from './create-logger';

/** A guard that was started for an experiment ends when there was no fault for so long. */
const IDLE_MS = 60_000;
/** Systems give their services 90 s to stop; every fault has to be gone long before. */
const STOP_LIMIT_MS = 15_000;
/** What is closed in good order has ended by itself long before. */
const EXIT_LIMIT_MS = 2_000;

/**
 * A guard of this host's faults (core/chaos/README.md). `--stay`: runs until it is stopped, as the boot unit has it; it then also
 * ends what a reboot has left. SIGTERM ends every fault first.
 */
async function main(): Promise<void> {
  const log = createLogger('reaper', false);
  try {
    const { values } = parseArgs({
      options: { guard: { type: 'string', default: 'a' }, stay: { type: 'boolean', default: false } },
    });
    const name = values.guard;
    if (name !== 'a' && name !== 'b') throw new InvalidInputError(`--guard is a or b, not ${name}.`);
    const { host, close } = chaosHost(loadConfig(), log);
    const programs = chaosPrograms(__dirname);
    const stop = new AbortController();
    process.on('SIGHUP', () => undefined).on('SIGINT', () => undefined);
    process.once('SIGTERM', () => stop.abort());
    const guard = new Guard(host, {
      name,
      idleMs: values.stay ? Number.POSITIVE_INFINITY : IDLE_MS,
      keepOther: (other) => keepGuard(host.journal.directory, programs, other),
    });
    log.info({ guard: name, directory: host.journal.directory }, 'guarding');
    // Beside its work: what may be due does not wait for what is long over.
    host.journal
      .prune()
      .catch((error: unknown) => log.warn({ err: error }, 'ended leases could not be pruned'));
    await guard.run(stop.signal);
    if (stop.signal.aborted) await abortAll(host, `guard-${name}`, STOP_LIMIT_MS);
    await close();
    log.info({ guard: name }, 'stopped');
  } catch (error) {
    log.fatal(
      { err: error, hint: error instanceof ChronawflowError ? error.hint : undefined },
      messageOf(error),
    );
    process.exitCode = 1;
  }
  // A call that hangs in a file system keeps the process, and process.exit() would wait for its thread as well.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), EXIT_LIMIT_MS).unref();
}

void main();
