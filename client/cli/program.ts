import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { packageRoot } from '../../core/local-stack';
import { registerAudit } from './audit';
import { registerChaos } from './chaos';
import { registerCodecServer } from './codec-server';
import { registerContain } from './contain';
import { registerDegradation } from './degradation';
import { registerDoctor } from './doctor';
import { registerDomains } from './domains';
import { registerEscalation } from './escalation';
import { registerJobs } from './jobs';
import { registerKeys } from './keys';
import { registerOperators } from './operators';
import { registerPrepare } from './prepare';
import { registerRecovery } from './recovery';
import { registerStatus } from './status';
import { registerUp } from './up';
import { registerWorker } from './worker';

const packageJson = z.object({ version: z.string() });

/** All commands. They throw their errors; main.ts reports them. */
export function createProgram(): Command {
  const program = new Command('chronawflow');
  program
    .description('Durable, provable recovery of single tenants in multi-tenant PostgreSQL applications')
    .version(packageJson.parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))).version)
    .option('--debug', 'show stack traces of errors')
    .configureHelp({ showGlobalOptions: true })
    // A wrong call is reported like every other error: with its code, and with --json as one object.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  registerUp(program);
  registerDoctor(program);
  registerPrepare(program);
  registerWorker(program);
  registerRecovery(program);
  registerJobs(program);
  registerAudit(program);
  registerChaos(program);
  registerDomains(program);
  registerKeys(program);
  registerCodecServer(program);
  registerOperators(program);
  registerDegradation(program);
  registerStatus(program);
  registerContain(program);
  registerEscalation(program);
  inheritSettings(program);
  return program;
}

/** Commander copies settings when a command is made; these were set on the program as a whole. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}
