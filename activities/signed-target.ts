import { canonicalJson } from '../core/canonical-json';
import { IntentRefusedError } from '../core/operators';
import { RestoreJournal } from '../core/recovery/restore-journal';
import type { ResolvedTarget, TargetRequest } from '../core/recovery/types';
import { operationDemand } from './recovery-intents';
import type { RecoveryServices } from './recovery-services';
import type { OperationRef } from './types';

/**
 * The thread from the target that was signed to the rows that are staged. Without it a forged result of one step would have the
 * next one stage the rows of another moment, under a hash that then only its approvers could tell.
 */

type Services = Pick<RecoveryServices, 'platform' | 'intents' | 'parseTarget'>;

/** Before a target is resolved: it is the one that was asked for. A drill changes nothing and has no intent. */
export async function verifyTargetRequest(
  { platform, intents, parseTarget }: Services,
  operation: OperationRef,
  target: TargetRequest,
  timeline: number | undefined,
): Promise<void> {
  if (intents === undefined || (await isDrill(platform, operation))) return;
  const actions = ['recovery.restore', 'recovery.restore-cluster'] as const;
  await intents.verifyAlone(
    operationDemand(
      operation,
      actions,
      (asked) =>
        typeof asked.to === 'string' &&
        canonicalJson(parseTarget(asked.to)) === canonicalJson(target) &&
        asked.timeline === timeline,
    ),
  );
}

/** Before rows or a cluster are made of it: it is what the resolving step itself has found and written down. */
export async function verifyResolvedTarget(
  { platform, intents }: Services,
  operation: OperationRef,
  target: ResolvedTarget,
): Promise<void> {
  if (intents === undefined || (await isDrill(platform, operation))) return;
  const resolved = await new RestoreJournal(platform).resolvedTarget(operation.restoreId);
  if (resolved !== undefined && canonicalJson(resolved) === canonicalJson(target)) return;
  throw new IntentRefusedError({
    code: 'INTENT_MISMATCH',
    message: `The step was given another target than was resolved for ${operation.restoreId}.`,
    hint: 'Somebody has completed a step in a worker’s place: see the run’s history, then start again.',
  });
}

async function isDrill(
  platform: RecoveryServices['platform'],
  { restoreId }: OperationRef,
): Promise<boolean> {
  return (await new RestoreJournal(platform).find(restoreId))?.kind === 'drill';
}
