import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Authorize,
  type ContainmentContext,
  type ContainmentInput,
  containmentId,
  judgeNoise,
  readContainment,
  readUses,
  releaseContainment,
  toContain,
  toRelease,
} from '../core/containment';
import type { IntentVerifier } from '../core/operators';
import { auditScope } from './audit-scope';
import { refuseOtherName } from './recovery-intents';
import type { ContainmentRelease } from './types';

/** What containment demands of who asks for it, where operators sign. Inputs of steps may come from anybody who reaches Temporal. */

/** Looks at whether a tenant is noisy: one may fall into a moment in which it is not. */
const LOOKS = 3;
const LOOK_EVERY_MS = 500;

/** A rule needs nobody's signature, as far as the databases say what the rule says. Everything else is signed. */
export async function authorizeContainment(
  ctx: ContainmentContext,
  intents: IntentVerifier,
  input: ContainmentInput,
  workflowId: string,
): Promise<Authorize> {
  if (input.automatic === true && (await isByRule(ctx, input))) return async () => undefined;
  return async (tx) => {
    const { request } = await intents.verify(tx, {
      signed: input.automatic === true ? undefined : input.intent,
      expected: toContain(workflowId, input),
      owner: `containment/${containmentId(workflowId)}/${auditScope()}`,
    });
    refuseOtherName(request.operator.name, input.requestedBy, 'A containment');
  };
}

/** Ends a containment for who has signed for it. */
export async function releaseSigned(
  { platform }: Pick<ContainmentContext, 'platform'>,
  intents: IntentVerifier,
  id: string,
  { as, reason, intent: signed }: ContainmentRelease,
): Promise<void> {
  const { target } = await readContainment(platform, id);
  const demand = {
    signed,
    expected: toRelease(id, target, reason),
    owner: `containment-release/${id}/${auditScope()}`,
  };
  await releaseContainment(platform, id, async (tx) => {
    const { request } = await intents.verify(tx, demand);
    refuseOtherName(request.operator.name, as, 'A release');
  });
}

/** Whether the rule for noisy tenants would contain it now, as it is configured here. */
async function isByRule(
  { config, application }: ContainmentContext,
  { target, forMs }: ContainmentInput,
): Promise<boolean> {
  const rule = config.containment.noisyTenants;
  if (rule === false || target.strategy !== 'isolate-tenant' || forMs !== rule.for) return false;
  const least = { 'in-flight': rule.minInFlight, errors: rule.minErrors, 'database-time': rule.minSessions };
  for (let look = 1; ; look += 1) {
    const uses = await readUses(application, config.jobs.quarantine.window);
    const [, noisy] = judgeNoise(new Map(), uses, { ...rule, least, looks: 1 });
    if (noisy.some(({ tenant }) => tenant === target.tenant)) return true;
    if (look === LOOKS) return false;
    await sleep(LOOK_EVERY_MS);
  }
}
