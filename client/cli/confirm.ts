import { createInterface } from 'node:readline/promises';
import { NotConfirmedError } from './errors';

/** Asks on the terminal unless `yes`. Without a terminal nobody can answer, and silence is no consent. */
export async function confirm(question: string, what: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new NotConfirmedError(what);
  const answer = await ask(question);
  if (!/^y(es)?$/i.test(answer.trim())) throw new NotConfirmedError(what);
}

/** Ctrl-C and the end of the input answer nothing. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(`${question} [y/N] `);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    process.stderr.write('\n');
    return '';
  } finally {
    lines.close();
  }
}
