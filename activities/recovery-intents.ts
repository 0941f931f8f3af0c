import type { ClientBase } from 'pg';
import type { Config } from '../config';
import { canonicalJson } from '../core/canonical-json';
import { type Demand, IntentRefusedError, type IntentVerifier, parseIntent } from '../core/operators';
import type { MergeControl, StepControl } from '../core/recovery/engine';
import {
  approvalParameters,
  intentParameters,
  rejectionParameters,
} from '../core/recovery/intent-parameters.pure';
import { restoreIdFor } from '../core/recovery/restore-id';
import type { RecoveryServices } from './recovery-services';
import type { ChangeRules, OperationRef, RecoveryActivities } from './types';

/**
 * What each step of recovery demands of the intents that came with it. Inputs of steps come from a history that somebody else may
 * have written: nothing in them is believed but signatures.
 */

type Verifying = Pick<RecoveryServices, 'config' | 'intents'>;
type RequestAction = 'recovery.restore' | 'recovery.undo' | 'recovery.restore-cluster';

/** Of the first step: the whole request, as it came. */
export function requestDemand(
  action: RequestAction,
  workflowId: string,
  input: { readonly tenant?: string; readonly requestedBy: string; readonly intent?: unknown },
): Demand {
  const { intent: signed, ...rest } = input;
  return {
    signed,
    expected: { action, tenant: input.tenant, parameters: intentParameters(workflowId, rest) },
    owner: restoreIdFor(workflowId),
  };
}

/** Who asks is whoever has signed. @throws IntentRefusedError */
export function refuseOtherName(signer: string, claimed: string, what: string): void {
  if (signer === claimed) return;
  throw new IntentRefusedError({
    code: 'INTENT_MISMATCH',
    message: `${what} in the name of ${claimed} is signed by ${signer}.`,
    hint: 'Everybody acts in his own name: leave out --as.',
  });
}

/** Before the tenant is frozen: somebody who may has asked for this very restore. */
export async function verifyRequest({ intents }: Verifying, operation: OperationRef): Promise<void> {
  await intents?.verifyAlone(operationDemand(operation, ['recovery.restore', 'recovery.undo']));
}

/** Before a cluster is written: into this directory, and promoted only if that was asked for. */
export async function verifyClusterRequest(
  { intents }: Verifying,
  operation: OperationRef,
  { into, promote }: { readonly into: string; readonly promote: boolean },
): Promise<void> {
  await intents?.verifyAlone(
    operationDemand(
      operation,
      ['recovery.restore-cluster'],
      (parameters) => parameters.into === into && (parameters.promote ?? false) === promote,
    ),
  );
}

/** One person's approval or rejection, before it counts. */
export async function verifyDecision(
  { intents }: Verifying,
  { operation, decision, intent }: Parameters<RecoveryActivities['verifyDecision']>[0],
): Promise<void> {
  if (intents === undefined) return;
  const { restoreId, tenant } = operation;
  const expected =
    decision.kind === 'approve'
      ? ({
          action: 'recovery.approve',
          parameters: approvalParameters(restoreId, decision.diffHash),
        } as const)
      : ({ action: 'recovery.reject', parameters: rejectionParameters(restoreId, decision.reason) } as const);
  const { request } = await intents.verifyAlone({
    signed: intent,
    expected: { ...expected, tenant },
    owner: restoreId,
  });
  refuseOtherName(request.operator.name, decision.as, 'A decision');
}

/**
 * Runs a merge that commits only when its request and enough approvals of exactly this diff are good at that moment. What the
 * merge is about is told by the record in the application's database, not by the step's input.
 */
export function mergeVerified<T>(
  { config, intents }: Verifying,
  { operation, rules, approvals = [] }: Parameters<RecoveryActivities['mergeSlice']>[0],
  control: StepControl,
  merge: (control: MergeControl) => Promise<T>,
): Promise<T> {
  if (intents === undefined) return merge(control);
  return intents.during((admit) =>
    merge({
      ...control,
      beforeCommit: async (tx: ClientBase, merging) => {
        const action = merging.undoOf === undefined ? 'recovery.restore' : 'recovery.undo';
        const { owner, signed, expected } = operationDemand(
          { ...operation, restoreId: merging.restoreId, tenant: merging.tenant },
          [action],
          (parameters) => sameRules(parameters, rules) && parameters.restoreId === merging.undoOf,
        );
        await admit(tx, {
          owner,
          signed,
          expected,
          approvals: {
            signed: approvals,
            needed: approvalsNeeded(config, intents, operation),
            expected: {
              action: 'recovery.approve',
              tenant: merging.tenant,
              parameters: approvalParameters(merging.restoreId, merging.diffHash),
            },
          },
        });
      },
    }),
  );
}

/** The policy's number, or more where the request asks for more. */
function approvalsNeeded(config: Config, { policy }: IntentVerifier, { intent }: OperationRef): number {
  const asked = intent && parseIntent(intent.intent)?.parameters.approvals;
  return Math.max(config.recovery.approvals, policy.fourEyes.restore, typeof asked === 'number' ? asked : 0);
}

/** Of a later step: the request's intent has to be for this run, and to say what the step is about to do. */
export function operationDemand(
  { restoreId, tenant, intent }: OperationRef,
  actions: readonly RequestAction[],
  matches: (parameters: Readonly<Record<string, unknown>>) => boolean = () => true,
): Demand {
  return {
    signed: intent,
    owner: restoreId,
    expected: {
      action: actions,
      tenant: tenant === '' ? undefined : tenant,
      parameters: (parameters) =>
        typeof parameters.workflowId === 'string' &&
        restoreIdFor(parameters.workflowId) === restoreId &&
        matches(parameters),
    },
  };
}

/** Modes and decisions as they were asked for, with the defaults of prepare-operation.ts. */
function sameRules(parameters: Readonly<Record<string, unknown>>, rules: ChangeRules): boolean {
  const { modes, decisions = [], allowEmpty = false } = parameters;
  const asked = {
    modes: { create: true, update: true, delete: true, ...(typeof modes === 'object' ? modes : {}) },
    decisions,
    allowEmpty,
  };
  return canonicalJson(asked) === canonicalJson(rules);
}
