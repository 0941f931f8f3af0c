import type { Pool } from 'pg';
import type { Config } from '../config';
import {
  type AppliedLevel,
  DegradationModesManager,
  type DegradationPort,
  DegradationStore,
  loadPolicy,
  scopesOf,
} from '../core/degradation';
import { InvalidInputError } from '../core/errors';
import {
  controllerWorkflowId,
  type EndByHand,
  degradationMessageNames as messages,
  type SetLevel,
  type SetReadOnly,
} from '../workflows/degradation-contract';
import type { TemporalLink } from './temporal-link';

/** @throws InvalidInputError when the configuration has no section `degradation` */
export function degradationModes(
  { degradation }: Config,
  platform: Pool,
  link: TemporalLink,
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
    degradationPort(link),
  );
}

/** The controllers of degradation levels, by Temporal. */
function degradationPort(link: TemporalLink): DegradationPort {
  const update = <A>(scope: string, name: string, request: A): Promise<AppliedLevel> =>
    link.ask(controllerWorkflowId(scope), (handle) =>
      handle.executeUpdate<AppliedLevel, [A]>(name, { args: [request] }),
    );
  return {
    setLevel: (scope, request: SetLevel) => update(scope, messages.setLevel, request),
    releaseLevel: (scope, request: EndByHand) => update(scope, messages.releaseLevel, request),
    setReadOnly: (scope, request: SetReadOnly) => update(scope, messages.setReadOnly, request),
    endReadOnly: (scope, request: EndByHand) => update(scope, messages.endReadOnly, request),
  };
}
