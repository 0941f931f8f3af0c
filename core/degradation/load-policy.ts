import { type DegradationConfig, signalKind } from '../../config';
import { policyOf } from './policy.pure';
import type { Policy, SignalRule } from './types';

/** The policy of a loaded configuration's section `degradation`. */
export function loadPolicy(config: DegradationConfig): Policy {
  return policyOf(config, worseBy(config));
}

/** Which way each signal gets worse: as declared, and higher where nobody has said so. */
export function worseBy(config: Pick<DegradationConfig, 'signals'>): (signal: string) => SignalRule['worse'] {
  return (signal) => signalKind(signal, config.signals)?.worse ?? 'higher';
}
