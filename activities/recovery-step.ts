import { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { z } from 'zod';
import { askedBy, recordAuditEvent } from '../core/audit';
import { disturbanceOf } from '../core/injection-points';
import type { StepControl } from '../core/recovery/engine';
import { parseInput } from '../core/recovery/operation-input';
import { RestoreJournal } from '../core/recovery/restore-journal';
import type { RestorePhase } from '../core/recovery/types';
import { atTheBorder } from './at-the-border';
import { auditScope } from './audit-scope';
import { failureOf } from './failure-of';
import type { RecoveryServices } from './recovery-services';
import { withStepControl } from './step-control';
import type { OperationRef } from './types';

const operationRef = z.looseObject({
  operation: z.looseObject({
    restoreId: z.string().regex(/^r[0-9a-f]{12}$/),
    tenant: z.string(),
    requestedBy: z.string().min(1),
  }),
});

export interface StepDefinition<In, Out> {
  /** The audit log's name of the step, such as `restore.merge`, and the metric's label. */
  readonly action: string;
  /** What the journal shows while the step runs; of two steps side by side, the one that began last. */
  readonly phase?: RestorePhase;
  run(input: In, control: StepControl): Promise<Out>;
  /** Facts for the audit event: identifiers, counts and hashes, never row values. */
  facts?(output: Out, input: In): Readonly<Record<string, unknown>>;
  /** Who did it, where that is not the requester. */
  actor?(input: In): string;
}

/**
 * Turns a step into an activity: input checked, journal moved on, progress as heartbeats, result or final refusal in
 * the audit log, errors as failures that the workflow and the client can tell apart.
 */
export function recoveryStep<In extends { readonly operation: OperationRef }, Out>(
  services: RecoveryServices,
  definition: StepDefinition<In, Out>,
): (input: In) => Promise<Out> {
  const journal = new RestoreJournal(services.platform);
  return (input) =>
    asActivity(services, definition.action, async (control) => {
      parseInput(operationRef, input, definition.action);
      const { operation } = input;
      if (definition.phase !== undefined) await journal.enter(operation.restoreId, definition.phase);
      try {
        const disturbance = disturbanceOf(definition.action, 'step', operation.tenant, control.signal);
        if (disturbance !== undefined) await disturbance;
        const output = await definition.run(input, control);
        await audit(services, definition, input, 'ok', definition.facts?.(output, input) ?? {});
        return output;
      } catch (error) {
        const failure = failureOf(error, Context.current().info.attempt);
        const final = failure instanceof ApplicationFailure && failure.nonRetryable === true;
        if (final) await audit(services, definition, input, failure.type ?? 'UNEXPECTED', {});
        throw error;
      }
    });
}

/** The border of every activity, measured and heartbeating. */
export function asActivity<T>(
  services: Pick<RecoveryServices, 'metrics' | 'log'>,
  action: string,
  run: (control: StepControl) => Promise<T>,
): Promise<T> {
  const measured = services.metrics.step(action);
  return atTheBorder(async () => {
    try {
      const result = await withStepControl(run);
      measured('ok');
      return result;
    } catch (error) {
      const interrupted = error instanceof CancelledFailure;
      measured(interrupted ? 'interrupted' : 'failed');
      if (!interrupted) services.log.warn({ action, err: error }, 'a step failed');
      throw error;
    }
  });
}

async function audit<In extends { readonly operation: OperationRef }, Out>(
  services: RecoveryServices,
  definition: StepDefinition<In, Out>,
  input: In,
  outcome: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await recordAuditEvent(services.platform, {
    id: `${auditScope()}/${outcome === 'ok' ? 'ok' : 'refused'}`,
    actor: definition.actor?.(input) ?? input.operation.requestedBy,
    action: definition.action,
    tenant: input.operation.tenant === '' ? undefined : input.operation.tenant,
    object: input.operation.restoreId,
    outcome,
    ...askedBy(),
    details,
  });
}
