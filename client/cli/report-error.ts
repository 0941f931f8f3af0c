import { CommanderError } from 'commander';
import { ChronawflowError, type ErrorKind, InvalidInputError, messageOf } from '../../core/errors';
import { colors as pc } from './colors';

/** 0 done, 1 the operation failed, 2 the call was wrong, 3 a policy or a person refused it. */
const EXIT_CODES: Readonly<Record<ErrorKind, number>> = { usage: 2, failed: 1, refused: 3 };

export interface ErrorOptions {
  readonly json: boolean;
  readonly debug: boolean;
  readonly out?: NodeJS.WritableStream;
  readonly err?: NodeJS.WritableStream;
}

/** Tells the user what went wrong and what to do next. @returns the exit code. */
export function reportError(thrown: unknown, options: ErrorOptions): number {
  const out = options.out ?? process.stdout;
  const err = options.err ?? process.stderr;
  // --help and --version end like this; so does a group of commands called without one, which has shown its help.
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  if (thrown instanceof CommanderError && thrown.code === 'commander.help') return EXIT_CODES.usage;
  const known = knownError(thrown);
  const shown = known?.toJSON() ?? { code: 'UNEXPECTED', message: messageOf(thrown), details: {} };
  if (options.json) {
    out.write(`${JSON.stringify({ error: shown })}\n`);
  } else {
    err.write(`${pc.red(shown.code)} ${shown.message}\n`);
    if (shown.hint !== undefined) err.write(`${pc.dim('→')} ${shown.hint}\n`);
    if (known === undefined && !options.debug)
      err.write(`${pc.dim('→')} Repeat with --debug for the details.\n`);
  }
  if (options.debug && thrown instanceof Error) err.write(`${stackOf(thrown)}\n`);
  return EXIT_CODES[known?.kind ?? 'failed'];
}

function knownError(thrown: unknown): ChronawflowError | undefined {
  if (thrown instanceof ChronawflowError) return thrown;
  if (!(thrown instanceof CommanderError)) return undefined;
  return new InvalidInputError(thrown.message.replace(/^error: /, '').replaceAll('\n', ' '), {
    hint: 'Call it with --help to see its options and an example.',
  });
}

function stackOf(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}
