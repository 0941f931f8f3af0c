import type { RestorePhase } from '../../../core/recovery/types';

const IN_WORDS: Readonly<Record<RestorePhase, string>> = {
  starting: 'check the request',
  resolving: 'resolve the target',
  verifying: 'verify backup and WAL',
  'restoring-scratch': 'restore a scratch cluster',
  validating: 'check the scratch cluster',
  staging: 'stage the rows at the target',
  freezing: 'freeze the tenant',
  previewing: 'compare with the live rows',
  'awaiting-approval': 'wait for approval',
  merging: 'merge',
  unfreezing: 'let the tenant write again',
  reporting: 'clean up',
  done: 'done',
};

export function phaseInWords(phase: RestorePhase): string {
  return IN_WORDS[phase];
}
