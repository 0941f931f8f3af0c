import type { OperationStatus } from '../../workflows/contract';
import { duration } from './pages/format';
import { phaseInWords } from './pages/phases';

/** Shows the phases of a run as they pass, on standard error. */
export interface Progress {
  readonly show: (status: OperationStatus) => void;
  readonly close: () => void;
}

/** On a terminal one moving line and a line for every phase that ended; elsewhere plain lines; nothing with --json. */
export async function progressOf(
  json: boolean,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<Progress> {
  if (json) return { show: () => undefined, close: () => undefined };
  let told = 0;
  const endedSince = (status: OperationStatus): string[] => {
    const ended = status.steps.slice(told);
    told = status.steps.length;
    return ended.map((step) => `✓ ${phaseInWords(step.phase)} (${duration(step.ms)})`);
  };
  // A terminal that does not know its width (some containers') cannot take back a line.
  if (!stream.isTTY || !stream.columns) {
    let current = '';
    return {
      show: (status) => {
        for (const line of endedSince(status)) stream.write(`${line}\n`);
        const now = `… ${phaseInWords(status.phase)}`;
        if (now !== current && status.outcome === undefined) stream.write(`${now}\n`);
        current = now;
      },
      close: () => undefined,
    };
  }
  // Loaded only here: an ES module, and of no use without a terminal.
  const { default: ora } = await import('ora');
  // With standard input in raw mode, as by default, Ctrl-C would be one more key that is thrown away.
  const spinner = ora({ stream, discardStdin: false });
  return {
    show: (status) => {
      const lines = endedSince(status);
      if (lines.length > 0) {
        spinner.stop();
        for (const line of lines) stream.write(`${line}\n`);
      }
      if (status.outcome === undefined) spinner.start(phaseInWords(status.phase));
    },
    close: () => {
      spinner.stop();
    },
  };
}
