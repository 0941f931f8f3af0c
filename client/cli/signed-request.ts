import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { InvalidInputError, whenMissing } from '../../core/errors';
import { type SignedIntent, signedIntentSchema } from '../../core/operators';
import type { SignedRequest } from '../four-eyes';
import type { Output } from './output';

/** For acts that others have to consent to: they are signed, shown, and then done. */
export interface SignedOptions {
  readonly sign?: string;
  readonly request?: string;
  readonly approval?: readonly string[];
}

export function withSigned(command: Command): Command {
  return command
    .option('--sign <file>', 'only sign the request, for others to approve (`chronawflow operators approve`)')
    .option('--request <file>', 'do what was signed before')
    .option('--approval <file...>', 'what others have signed');
}

/** @throws InvalidInputError */
export async function readSigned({
  request,
  approval = [],
}: SignedOptions): Promise<SignedRequest | undefined> {
  if (request === undefined) return undefined;
  return { intent: await readIntent(request), approvals: await Promise.all(approval.map(readIntent)) };
}

export async function readIntent(file: string): Promise<SignedIntent> {
  const text = await readFile(file, 'utf8').catch(whenMissing(undefined));
  const parsed = signedIntentSchema.safeParse(json(text ?? ''));
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(`${file} is no signed request.`, { hint: 'Make one with --sign.' });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names what was signed, so that whoever signs sees it. */
export async function writeIntent(out: Output, file: string, intent: SignedIntent): Promise<void> {
  await writeFile(file, `${JSON.stringify(intent)}\n`, { mode: 0o600 });
  out.result({ file, intent: intent.intent }, () => [`Signed, in ${file}:`, intent.intent]);
}
