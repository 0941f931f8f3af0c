#!/usr/bin/env node
import { loadConfig } from '../config';
import { chaosPrograms, runFault } from '../core/chaos';
import { InvalidInputError, messageOf } from '../core/errors';
import { chaosHost } from './chaos-host';
import { createLogger } from './create-logger';

/** The process of one fault. Argument: the lease's ID; the lease says the rest. */
async function main(): Promise<void> {
  const log = createLogger('chaos', false);
  // Who stops the controller does not mean this process; the lease says when it ends.
  process.on('SIGHUP', () => undefined).on('SIGINT', () => undefined);
  try {
    const id = process.argv[2];
    if (id === undefined) throw new InvalidInputError('chaos-driver needs the ID of a lease.');
    const { host } = chaosHost(loadConfig(), log);
    await runFault(host, chaosPrograms(__dirname), id);
    // What it holds ends with it.
    process.exit(0);
  } catch (error) {
    log.fatal({ err: error }, messageOf(error));
    process.exit(1);
  }
}

void main();
