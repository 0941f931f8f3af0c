import type { StackEvent } from '../../core/local-stack';
import { colors as pc } from './colors';

/** Shows what happens to a stack, on standard error: standard output is for the result. */
export interface StackDisplay {
  readonly show: (event: StackEvent) => void;
  readonly close: () => void;
}

/** On a terminal one moving line and a line for every event that stays; elsewhere plain lines; nothing with --json. */
export async function stackDisplay(
  json: boolean,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<StackDisplay> {
  if (json) return { show: () => undefined, close: () => undefined };
  // A terminal that does not know its width (some containers') cannot take back a line.
  if (!stream.isTTY || !stream.columns) {
    return { show: (event) => stream.write(`${describe(event)}\n`), close: () => undefined };
  }
  // Loaded only here: an ES module, and of no use without a terminal.
  const { default: ora } = await import('ora');
  // With standard input in raw mode, as by default, Ctrl-C would be one more key that is thrown away.
  const spinner = ora({ stream, discardStdin: false });
  const running = new Map<string, string>();
  return {
    show: (event) => {
      if (event.kind === 'progress') {
        running.set(event.part, event.text);
      } else {
        running.delete(event.part);
        spinner.stop();
        stream.write(`${describe(event)}\n`);
      }
      const text = [...running].map(([part, what]) => `${part}: ${what}`).join(', ');
      if (text === '') spinner.stop();
      else spinner.start(text);
    },
    close: () => {
      spinner.stop();
    },
  };
}

export function describe(event: StackEvent): string {
  const part = event.part.padEnd(20);
  switch (event.kind) {
    case 'progress':
      return `${pc.dim('…')} ${part} ${event.text}`;
    case 'started':
      return `${pc.green('✓')} ${part} ${event.where} ${pc.dim(`(${(event.ms / 1000).toFixed(1)} s)`)}`;
    case 'stopped':
      return `${pc.dim('■')} ${part} stopped`;
    case 'lost':
      return `${pc.red('✗')} ${part} ${event.reason}`;
  }
}
