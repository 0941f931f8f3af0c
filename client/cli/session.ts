import type { Command } from 'commander';
import type { Chronawflow, ConnectOptions } from '../chronawflow';
import { Output } from './output';

/** Temporal's client alone takes a quarter of a second, and commands that only read a database do not need it. */
const load: (name: '../chronawflow') => typeof import('../chronawflow') = require;

export interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** The options that every command with a connection takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--config <file>', 'chronawflow.yaml (default: CHRONAWFLOW_CONFIG, or the working directory)')
    .option('--json', 'print one JSON object');
}

/** What a command works with. */
export interface Session {
  readonly cf: Chronawflow;
  readonly out: Output;
}

/** Runs a command with a connection that is closed however it ends. */
export async function inSession(
  options: CommonOptions,
  run: (session: Session) => Promise<void>,
  { whenTemporalIsAway }: Pick<ConnectOptions, 'whenTemporalIsAway'> = {},
): Promise<void> {
  const cf = await load('../chronawflow').Chronawflow.connect({
    configFile: options.config,
    whenTemporalIsAway,
  });
  try {
    await run({ cf, out: new Output(options.json ?? false) });
  } finally {
    await cf.close();
  }
}
