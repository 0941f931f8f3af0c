import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Pool } from 'pg';
import { z } from 'zod';
import { recordAuditEvent } from '../core/audit';
import { type DegradationStore, INITIAL_STATE, type Policy } from '../core/degradation';
import { InvalidInputError } from '../core/errors';
import { METRIC, type Metrics } from '../core/metrics';
import { failureOf } from './failure-of';
import type { DegradationActivities } from './types';

export interface DegradationServices {
  readonly platform: Pool;
  readonly store: DegradationStore;
  readonly policy: Policy;
  /** Of `policy`. */
  readonly policyHash: string;
  readonly metrics: Metrics;
}

/** How often it is looked whether processes have applied a level: a tenth of what a change may take to reach them. */
const LOOK_MS = 100;

const transition = z.object({
  version: z.number().int().min(1),
  from: z.number().int().min(0),
  to: z.number().int().min(0),
  direction: z.enum(['escalation', 'recovery', 'override', 'release', 'read-only', 'writable']),
  reason: z.string().min(1).max(500),
  by: z.string().min(1).max(200),
});
const scope = z.string().min(1).max(200);

/** The activities of the capability `degradation`. */
export function createDegradationActivities(services: DegradationServices): DegradationActivities {
  const { platform, store, policy, policyHash } = services;
  const changes = services.metrics.counter({
    name: METRIC.degradationChanges,
    help: 'Changes of the degradation level, by the level that was entered.',
    labels: ['level'],
  });
  // The first change has to be seen as an increase.
  for (const { name } of policy.levels) changes.zero({ level: name });
  return {
    observeScope: (look) =>
      atTheBorder(async () => {
        const of = parse(scope, look.scope);
        const takenUp = look.state === undefined ? await store.takeUp(of, INITIAL_STATE) : undefined;
        const seen = await store.look(
          of,
          policy,
          look.state && { state: look.state, readings: look.readings },
          (look.state ?? takenUp)?.at,
        );
        return {
          ...seen,
          policyHash,
          ...(look.policyHash === policyHash ? {} : { policy }),
          ...(takenUp && { takenUp }),
        };
      }),
    publishLevel: (input) =>
      atTheBorder(async () => {
        const request = Context.current().info.workflowExecution?.workflowId;
        const changed = await store.publish({
          ...input,
          scope: parse(scope, input.scope),
          transition: parse(transition, input.transition),
          request,
        });
        if (changed) changes.inc({ level: input.level });
        return changed || (await store.publishedVersion(input.scope)) === input.transition.version;
      }),
    awaitAcknowledged: ({ scope: of, version, limitMs, remind }) =>
      atTheBorder(async () => {
        if (remind) await store.remind(of);
        const limit = performance.now() + limitMs;
        for (;;) {
          const found = await store.acknowledged(of, version, policy.staleAfterMs);
          const settled = found.superseded || found.stragglers.length === 0;
          if (settled || performance.now() >= limit) return found;
          Context.current().heartbeat();
          await sleep(LOOK_MS, undefined, { signal: Context.current().cancellationSignal });
        }
      }),
    recordAcknowledgement: ({ scope: of, version, processes, stragglers, superseded }) =>
      atTheBorder(() =>
        recordAuditEvent(platform, {
          id: `degradation/${of}/${version}/acknowledged`,
          actor: 'controller',
          action: 'degradation.acknowledged',
          object: of,
          outcome: superseded ? 'SUPERSEDED' : stragglers.length > 0 ? 'STRAGGLERS' : 'ok',
          request: Context.current().info.workflowExecution?.workflowId,
          details: { version, processes, stragglers: stragglers.slice(0, 50) },
        }),
      ),
  };
}

async function atTheBorder<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw failureOf(error, Context.current().info.attempt);
  }
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(`The input of the step is wrong: ${z.prettifyError(parsed.error)}`);
}
