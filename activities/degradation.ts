import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Pool } from 'pg';
import { z } from 'zod';
import { askedBy, recordAuditEvent } from '../core/audit';
import {
  type DegradationStore,
  INITIAL_STATE,
  type LevelState,
  levelAt,
  type Policy,
} from '../core/degradation';
import { InvalidInputError } from '../core/errors';
import { METRIC, type Metrics } from '../core/metrics';
import type { IntentVerifier } from '../core/operators';
import { atTheBorder } from './at-the-border';
import { authorizeLevel } from './degradation-intents';
import type { DegradationActivities } from './types';

export interface DegradationServices {
  readonly platform: Pool;
  readonly store: DegradationStore;
  readonly policy: Policy;
  /** Of `policy`. */
  readonly policyHash: string;
  readonly metrics: Metrics;
  /** Where operators sign. */
  readonly intents?: IntentVerifier;
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
const rank = z.number().int().min(0).max(100);
const setBy = { by: z.string().min(1).max(200), reason: z.string().min(1).max(500) };
const levelState = z.looseObject({
  rank,
  override: z.object({ rank, until: z.number(), ...setBy }).optional(),
  readOnly: z.object({ until: z.number().optional(), ...setBy }).optional(),
});

/** The activities of the capability `degradation`. */
export function createDegradationActivities(services: DegradationServices): DegradationActivities {
  const { platform, store, policy, policyHash, intents } = services;
  const changes = services.metrics.counter({
    name: METRIC.degradationChanges,
    help: 'Changes of the degradation level, by the level that was entered.',
    labels: ['level'],
  });
  // The first change has to be seen as an increase.
  for (const { name } of policy.levels) changes.zero({ level: name });
  const whereToGoOn = async (of: string, state: LevelState | undefined) => {
    if (state === undefined) return store.takeUp(of, INITIAL_STATE);
    return intents === undefined ? undefined : store.corrected(of, state);
  };
  return {
    observeScope: (look) =>
      atTheBorder(async () => {
        const of = parse(scope, look.scope);
        const takenUp = await whereToGoOn(of, look.state);
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
          ...(intents === undefined ? {} : { signed: true as const }),
        };
      }),
    publishLevel: (input) =>
      atTheBorder(async () => {
        const publication = {
          ...input,
          state: { ...input.state, ...parse(levelState, input.state) },
          scope: parse(scope, input.scope),
          transition: parse(transition, input.transition),
          ...(intents === undefined ? {} : { level: levelAt(policy, input.state.rank).name }),
          ...askedBy(),
        };
        const authorize = intents && authorizeLevel(intents, policy, publication);
        const changed = await store.publish(policy, publication, authorize);
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
          ...askedBy(),
          details: { version, processes, stragglers: stragglers.slice(0, 50) },
        }),
      ),
  };
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidInputError(`The input of the step is wrong: ${z.prettifyError(parsed.error)}`);
}
