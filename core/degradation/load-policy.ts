import { type DegradationConfig, signalKind } from '../../config';
import { policyOf } from './policy.pure';
import type { Policy } from './types';

/** The policy of a loaded configuration's section `degradation`. */
export function loadPolicy(config: DegradationConfig): Policy {
  return policyOf(config, (signal) => signalKind(signal, config.signals)?.worse ?? 'higher');
}
