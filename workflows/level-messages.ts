import { ApplicationFailure } from '@temporalio/workflow';
import type { SignedIntent } from '../core/operators/intent/types';
import type { EndByHand, SetReadOnly } from './degradation-contract';

/** A month: nobody means a level by hand for ever. */
const LONGEST_MS = 31 * 86_400_000;

/** More consents than any policy asks for are somebody's mistake. */
const MOST_APPROVALS = 20;

/** Refuses a message before it is in the history. What is signed is verified by the step that publishes, which also records a refusal. */
export function checked({ by, reason, intent, approvals = [] }: EndByHand): void {
  if (!isText(by, 200) || !isText(reason, 500)) throw wrong('Say who you are and why.');
  const given = intent === undefined || intent === null ? approvals : [intent, ...approvals];
  if (given.length > MOST_APPROVALS || !given.every(isSigned))
    throw wrong('This is no signed intent, or there are too many.');
}

export function checkedFor(request: SetReadOnly): void {
  checked(request);
  if (!(request.forMs > 0 && request.forMs <= LONGEST_MS)) throw wrong('It has to end: within 31 days.');
}

/** Its shape only, and bounded, because it stays in the history. */
function isSigned(one: SignedIntent): boolean {
  return isText(one?.intent, 16_384) && isText(one?.signature, 1_000);
}

function isText(text: unknown, limit: number): boolean {
  return typeof text === 'string' && text.trim() !== '' && text.length <= limit;
}

function wrong(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'INVALID_INPUT');
}
