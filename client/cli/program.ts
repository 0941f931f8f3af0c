import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { packageRoot } from '../../core/local-stack/package-root';
import { COMMAND_GROUPS } from './commands';

const packageJson = z.object({ version: z.string() });

/**
 * Commands throw their errors; main.ts reports them.
 *
 * @param first word of the call: what it does not name is left out. All commands are there when it names none.
 */
export function createProgram(first?: string): Command {
  const program = new Command('chronawflow');
  program
    .description('Durable, provable recovery of single tenants in multi-tenant PostgreSQL applications')
    .version(packageJson.parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'))).version)
    .option('--debug', 'show stack traces of errors')
    .configureHelp({ showGlobalOptions: true })
    // A wrong call is reported like every other error: with its code, and with --json as one object.
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  const called = COMMAND_GROUPS.filter(({ names }) => names.some((name) => name === first));
  for (const { register } of called.length > 0 ? called : COMMAND_GROUPS) register(program);
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
