import { spawn } from 'node:child_process';
import { shellWord } from '../../core/recovery/shell-word.pure';

export interface TerminalProgram {
  /** What it has written so far, control sequences included. */
  soFar(): string;
  /** Types; `\u0003` is Ctrl-C, which the terminal turns into SIGINT for the program. */
  type(text: string): void;
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/**
 * Runs a program on a terminal of its own, as somebody at a keyboard would: `script` of util-linux makes it. Without
 * `columns` the terminal does not know its size, like that of some containers.
 */
export function onTerminal(
  command: readonly string[],
  options: { readonly columns?: number; readonly env?: Readonly<Record<string, string>> } = {},
): TerminalProgram {
  const size = options.columns === undefined ? '' : `stty cols ${options.columns} rows 40; `;
  // The terminal stays for a moment longer than the program: what that writes last would else be lost on a busy machine.
  // The shell gets Ctrl-C as well, and its trap, unlike an ignored signal, is not handed on to the program.
  const shell = `trap : INT; ${size}${command.map(shellWord).join(' ')}; code=$?; sleep 0.3; exit $code`;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...options.env },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
  return { soFar: () => output, type: (text) => child.stdin.write(text), ended };
}
