import type { HostTime } from './host-clock';
import type { EndReason, FaultLease } from './lease';

/** Why the lease is over, or undefined while it holds. `renewedMs`: when somebody last renewed it. */
export function overBecause(
  lease: Pick<FaultLease, 'bootId' | 'createdMs' | 'deadlineMs' | 'termMs'>,
  renewedMs: number | undefined,
  now: HostTime,
): Extract<EndReason, 'deadline' | 'not-renewed' | 'other-boot'> | undefined {
  if (lease.bootId !== now.bootId) return 'other-boot';
  if (now.uptimeMs >= lease.deadlineMs) return 'deadline';
  if (now.uptimeMs >= (renewedMs ?? lease.createdMs) + lease.termMs) return 'not-renewed';
  return undefined;
}

/** When the lease ends if nobody renews it any more, in milliseconds since the boot. */
export function endsAtMs(
  lease: Pick<FaultLease, 'createdMs' | 'deadlineMs' | 'termMs'>,
  renewedMs: number | undefined,
): number {
  return Math.min(lease.deadlineMs, (renewedMs ?? lease.createdMs) + lease.termMs);
}
