import { createInterface } from 'node:readline/promises';
import { NotConfirmedError } from './errors';

/** Asks on the terminal unless `yes`. Without a terminal nobody can answer, and silence is no consent. */
export async function confirm(question: string, what: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new NotConfirmedError(what);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new NotConfirmedError(what);
  } finally {
    lines.close();
  }
}
