import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { askedBy, recordAuditEvent } from '../core/audit';
import { auditScope } from './audit-scope';
import { failureOf } from './failure-of';
import type { RecoveryServices } from './recovery-services';
import { asActivity } from './recovery-step';

/** What a request says of itself, as far as it can be read: nobody has checked it yet. */
const told = z
  .looseObject({
    requestedBy: z.string().trim().min(1).max(200).optional().catch(undefined),
    tenant: z.string().max(200).optional().catch(undefined),
    to: z.string().max(200).optional().catch(undefined),
    reason: z.string().max(1_000).optional().catch(undefined),
    restoreId: z.string().max(50).optional().catch(undefined),
  })
  .catch({});

export interface AcceptedRequest<Out> {
  readonly prepared: Out;
  /** The operation that comes of it. */
  readonly object: string;
  readonly tenant?: string;
}

/** The first step of an operation: who asked for what and why is in the audit log, whether it was accepted or not. */
export function recoveryRequest<Out>(
  services: Pick<RecoveryServices, 'platform' | 'metrics' | 'log'>,
  kind: string,
  prepare: (input: unknown) => Promise<AcceptedRequest<Out>>,
): (input: unknown) => Promise<Out> {
  return (input) =>
    asActivity(services, `${kind}.prepare`, async () => {
      try {
        const accepted = await prepare(input);
        await record(services, kind, input, 'ok', accepted);
        return accepted.prepared;
      } catch (error) {
        const failure = failureOf(error, Context.current().info.attempt);
        const final = failure instanceof ApplicationFailure && failure.nonRetryable === true;
        if (final) await record(services, kind, input, failure.type ?? 'UNEXPECTED');
        throw error;
      }
    });
}

async function record(
  services: Pick<RecoveryServices, 'platform'>,
  kind: string,
  input: unknown,
  outcome: string,
  accepted?: AcceptedRequest<unknown>,
): Promise<void> {
  const { requestedBy, tenant, to, reason, restoreId } = told.parse(input);
  await recordAuditEvent(services.platform, {
    id: `${auditScope()}/${outcome === 'ok' ? 'ok' : 'refused'}`,
    actor: requestedBy ?? 'unknown',
    action: `${kind}.request`,
    tenant: accepted?.tenant ?? tenant,
    object: accepted?.object,
    outcome,
    ...askedBy(),
    details: { to, reason, of: restoreId },
  });
}
