import { colors as pc } from '../../client/cli/colors';

/** What the demo prints. Everything shown was measured or read from the databases while it ran. */
const began = performance.now();

export function heading(text: string): void {
  process.stdout.write(`\n${pc.bold(text)}\n`);
}

export function line(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`${pc.dim(`${seconds} s`)}  ${text}\n`);
}

/** A page as the CLI prints it. */
export function page(lines: readonly string[]): void {
  process.stdout.write(`${lines.map((text) => `         ${text}`.trimEnd()).join('\n')}\n`);
}
