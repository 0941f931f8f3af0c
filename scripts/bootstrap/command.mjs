import { spawn } from 'node:child_process';

/** Enough of a failed program's output to see why, without flooding the terminal. */
const KEPT_LINES = 30;

/** A program ended badly or could not be started; `output` holds its last lines. */
export class CommandFailure extends Error {
  constructor(program, args, exit, output, cause) {
    const shown = output === '' ? '' : `\n${output}`;
    super(`${[program, ...args].join(' ')} ended with ${exit}${shown}`, cause === undefined ? {} : { cause });
    this.name = 'CommandFailure';
    this.exit = exit;
    this.output = output;
  }
}

/**
 * Runs a program quietly and resolves with what it printed (standard output and error together, in order).
 * Its output is shown only if it fails. Ends the program when `signal` is aborted or `timeoutMs` is over.
 */
export function run(program, args, { env = process.env, cwd, signal, timeoutMs } = {}) {
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const signals = [signal, limit].filter((one) => one !== undefined);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: signals.length === 0 ? undefined : AbortSignal.any(signals),
    });
    let output = '';
    const keep = (text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (cause) => {
      // An abort by our own signal is reported as such, so that it is not mistaken for a failure of the program.
      if (signal?.aborted) reject(signal.reason);
      else
        reject(
          new CommandFailure(
            program,
            args,
            limit?.aborted ? 'time limit' : 'not started',
            cause.message,
            cause,
          ),
        );
    });
    child.on('close', (code, killedBy) => {
      if (code === 0) resolve(output);
      else reject(new CommandFailure(program, args, code ?? killedBy, lastLines(output)));
    });
  });
}

/**
 * Runs a program on our own terminal and resolves with its exit code (128 + n when it was killed by a signal).
 * `env` is added to the environment.
 */
export function runInForeground(program, args, { env = {}, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: 'inherit' });
    // The terminal sends Ctrl-C to the whole group: the child cleans up, and this process only waits for it.
    // Without a terminal, and for any other signal, only this process was told.
    const forward = (name) => {
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
    };
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const name of names) process.on(name, forward);
    const stopForwarding = () => {
      for (const name of names) process.off(name, forward);
    };
    child.on('error', (cause) => {
      stopForwarding();
      reject(new CommandFailure(program, args, 'not started', cause.message, cause));
    });
    child.on('exit', (code, killedBy) => {
      stopForwarding();
      resolve(code ?? SIGNAL_EXITS[killedBy] ?? 1);
    });
  });
}

/** What a shell reports for a program that ended by a signal. */
const SIGNAL_EXITS = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

function lastLines(output) {
  return output.trimEnd().split('\n').slice(-KEPT_LINES).join('\n');
}
