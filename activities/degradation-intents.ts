import type { AuthorizeLevel, Policy } from '../core/degradation';
import { intentOfAct, justify, LevelTooEarlyError, setsAgainstController } from '../core/degradation';
import { CONTROLLER } from '../core/degradation/change.pure';
import { DATABASE } from '../core/degradation/read-only.pure';
import { consentTo, type IntentVerifier } from '../core/operators';
import { auditScope } from './audit-scope';
import { refuseOtherName } from './recovery-intents';
import type { LevelPublication } from './types';

/**
 * What a publication of a level has to show: that it follows from what looks have seen, or that operators have signed it. The step's
 * input may come from anybody who reaches Temporal. What follows needs nobody's signature, so that nothing stands between a fault
 * and the level that it calls for.
 */
export function authorizeLevel(
  intents: IntentVerifier,
  policy: Policy,
  { scope, state, transition, byHand }: LevelPublication,
): AuthorizeLevel {
  return async (tx, standing) => {
    const act = byHand?.act;
    const why = justify(policy, standing, { ...state, version: transition.version }, act);
    if (why.kind === 'early') throw new LevelTooEarlyError(scope, why.inMs);
    if (why.kind === 'seen' && act === undefined) {
      const known = [DATABASE, standing.override?.by, standing.readOnly?.by].includes(transition.by);
      return known ? transition.by : CONTROLLER;
    }
    const asked = act ?? ({ kind: 'set', level: '', forMs: 0, reason: transition.reason } as const);
    const { request } = await intents.verify(tx, {
      // A change that the act does not explain has nobody's signature.
      signed: why.kind === 'seen' ? byHand?.intent : undefined,
      expected: intentOfAct(scope, asked),
      // A step that published and lost its answer is not verified again, so no other step may use what it used.
      owner: `degradation/${scope}/${transition.version}/${auditScope()}`,
      approvals: {
        signed: byHand?.approvals ?? [],
        expected: consentTo(byHand?.intent),
        needed: setsAgainstController(asked) ? intents.policy.fourEyes.override : 0,
      },
    });
    const { name } = request.operator;
    for (const claimed of [transition.by, ...claimedBy(asked.kind, state)])
      refuseOtherName(name, claimed, 'A level');
    return name;
  };
}

/** In whose name the state says that it was set. */
function claimedBy(kind: string, { override, readOnly }: LevelPublication['state']): string[] {
  if (kind === 'set' && override !== undefined) return [override.by];
  if (kind === 'read-only' && readOnly !== undefined) return [readOnly.by];
  return [];
}
