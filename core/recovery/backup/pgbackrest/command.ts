import { resolve } from 'node:path';
import type { BackupConfig } from '../../../../config';
import { findPgBackRest, type ProgramOutput, runProgram } from '../../../cluster';
import { CommandFailedError } from '../../../errors';
import type { StepControl } from '../../engine';
import { BackupCommandFailedError } from '../../errors/backup-command-failed-error';
import { BackupDamagedError } from '../../errors/backup-damaged-error';
import { RestoreCannotWriteError } from './cannot-write-error';
import { classifyFailure } from './failure.pure';

export interface CommandOptions {
  readonly control?: StepControl;
  readonly onLine?: (line: string) => void;
  /** Percentage in a line of the log, if it has one. */
  readonly percentOf?: (line: string) => number | undefined;
  readonly timeoutMs?: number;
}

/** Limits a look at the repository; object stores answer slowly, but not this slowly. */
const LOOK_LIMIT_MS = 120_000;
const REPORT_MS = 1000;

/** Runs one pgBackRest command on the configured stanza, as the server user, and turns its failures into typed errors. */
export async function pgbackrest(
  config: BackupConfig,
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<ProgramOutput> {
  const binary = await findPgBackRest(config.binary);
  const common = [
    ...stanzaArguments(config),
    // What we run reports here; files of the stanza's own log directory belong to its owner.
    '--log-level-file=off',
    '--log-level-stderr=error',
  ];
  let percent: number | undefined;
  // By the clock, not by the lines: a single large file is silent for longer than a listener waits.
  const report = setInterval(() => {
    const state = percent === undefined ? {} : { done: Math.round(percent), total: 100 };
    options.control?.progress?.({ step: command, ...state });
  }, REPORT_MS);
  try {
    return await runProgram(binary, [...common, command, ...args], {
      asServerUser: true,
      signal: options.control?.signal,
      timeoutMs: options.timeoutMs,
      onLine: (line) => {
        percent = options.percentOf?.(line) ?? percent;
        options.onLine?.(line);
      },
    });
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    const failure = classifyFailure(error.exit, error.stderr);
    switch (failure.kind) {
      case 'damaged':
        throw new BackupDamagedError(
          `the repository of stanza '${config.stanza}'`,
          failure.files,
          failure.reason,
        );
      case 'cannot-write':
        throw new RestoreCannotWriteError(command, failure.reason);
      case 'other':
        throw new BackupCommandFailedError(command, error.exit, failure.reason);
    }
  } finally {
    clearInterval(report);
  }
}

/** A command that only looks: no log on its standard output. */
export async function look(
  config: BackupConfig,
  command: string,
  args: readonly string[],
  control?: StepControl,
): Promise<string> {
  const output = await pgbackrest(config, command, ['--log-level-console=off', ...args], {
    control,
    timeoutMs: LOOK_LIMIT_MS,
  });
  return output.stdout;
}

/** Which configuration and stanza; the path is absolute because the server user may start elsewhere. */
export function stanzaArguments(config: BackupConfig): string[] {
  return [`--config=${resolve(config.configFile)}`, `--stanza=${config.stanza}`];
}
