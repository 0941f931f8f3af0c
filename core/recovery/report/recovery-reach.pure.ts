import { millisecondsBetween, parseInstant } from '../target/instant.pure';
import type { BackupVerification, RecoveryReach, ResolvedTarget } from '../types';

/** Target and present time against the latest restorable commit; undefined where the repository's times are not known. */
export function recoveryReach(
  verification: BackupVerification,
  target: ResolvedTarget | undefined,
): RecoveryReach | undefined {
  const latest = parseInstant(verification.latestRestorable);
  const now = parseInstant(verification.checkedAt);
  if (latest === undefined || now === undefined) return undefined;
  const at = target?.at === undefined ? undefined : parseInstant(target.at);
  return {
    latestRestorable: verification.latestRestorable,
    behindNowMs: Math.max(0, millisecondsBetween(latest, now)),
    ...(at === undefined ? {} : { behindTargetMs: Math.max(0, millisecondsBetween(latest, at)) }),
    ...(at === undefined ? {} : { aheadOfTargetMs: Math.max(0, millisecondsBetween(at, latest)) }),
  };
}
