/** Where a command writes: results on standard output, everything on the way on standard error. */
export class Output {
  constructor(
    readonly json: boolean,
    private readonly out: NodeJS.WritableStream = process.stdout,
    private readonly err: NodeJS.WritableStream = process.stderr,
  ) {}

  /** The command's result: with --json the value as one object, else the page made for people. */
  result(value: object, page: () => readonly string[]): void {
    this.out.write(this.json ? `${JSON.stringify(value)}\n` : `${page().join('\n')}\n`);
  }

  /** A page before the result; nothing with --json, whose output is one object. */
  page(lines: readonly string[]): void {
    if (!this.json) this.out.write(`${lines.join('\n')}\n`);
  }

  /** A line for whoever watches. */
  note(line: string): void {
    if (!this.json) this.err.write(`${line}\n`);
  }
}
