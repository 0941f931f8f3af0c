import type { OperationRef, SignedDecision } from '../activities/types';
import type { SignedIntent } from '../core/operators/intent/types';
import { answering } from './steps';

/** Has a decision verified before it counts. */
export type DecisionCheck = (decision: SignedDecision, intent: SignedIntent) => Promise<void>;

/** A quick no for whoever sends a decision that is not good; what counts is verified again by the merge itself. */
export function decisionCheck(operation: OperationRef): DecisionCheck {
  return (decision, intent) =>
    answering('Verify the signature of the decision').verifyDecision({ operation, decision, intent });
}
