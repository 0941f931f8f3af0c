import type { Pool } from 'pg';
import type { Config } from '../config';
import {
  type AppliedLevel,
  type ByHand,
  DegradationModesManager,
  type DegradationPort,
  DegradationStore,
  intentOfAct,
  type LevelAct,
  loadPolicy,
  scopesOf,
} from '../core/degradation';
import { InvalidInputError } from '../core/errors';
import { parseIntent } from '../core/operators';
import { controllerWorkflowId, degradationMessageNames as messages } from '../workflows/degradation-contract';
import { FourEyes } from './four-eyes';
import type { OperatorSigning } from './operator-signing';
import type { TemporalLink } from './temporal-link';

/** @throws InvalidInputError when the configuration has no section `degradation` */
export function degradationModes(
  { degradation }: Config,
  platform: Pool,
  link: TemporalLink,
  signing: OperatorSigning,
): DegradationModesManager {
  if (degradation === undefined) {
    throw new InvalidInputError('degradation: the configuration has no such section', {
      hint: 'For example degradation: { core: [sign-in] }.',
      details: { option: 'degradation' },
    });
  }
  const store = new DegradationStore(platform);
  return new DegradationModesManager(
    loadPolicy(degradation),
    scopesOf(degradation),
    store,
    degradationPort(link, signing),
  );
}

/** The update for each act. */
const MESSAGE = {
  set: messages.setLevel,
  release: messages.releaseLevel,
  'read-only': messages.setReadOnly,
  writable: messages.endReadOnly,
} as const satisfies Record<LevelAct['kind'], string>;

/** The controllers of degradation levels, by Temporal. */
function degradationPort(link: TemporalLink, signing: OperatorSigning): DegradationPort {
  const fourEyes = new FourEyes(signing);
  const signedBy = async (scope: string, act: LevelAct, { as, signed }: Pick<ByHand, 'as' | 'signed'>) => {
    if (signed?.intent === undefined) return signing.sign(intentOfAct(scope, act), as);
    return { ...signed, by: parseIntent(signed.intent.intent)?.operator ?? as };
  };
  return {
    apply: async (scope, act, by) => {
      const { kind, ...asked } = act;
      const message = { ...asked, ...(await signedBy(scope, act, by)) };
      return link.ask(controllerWorkflowId(scope), (handle) =>
        handle.executeUpdate<AppliedLevel, [typeof message]>(MESSAGE[kind], { args: [message] }),
      );
    },
    sign: async (scope, act) => (await fourEyes.request(intentOfAct(scope, act))).intent,
  };
}
