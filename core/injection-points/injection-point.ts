import { setTimeout as sleep } from 'node:timers/promises';
import { affects, type CallFault, type DisturbedCall } from './call-fault';
import { InjectedError } from './injected-error';

/** undefined while nothing is disturbed, so that an idle point is one comparison. */
let active: readonly CallFault[] | undefined;
let expiry: NodeJS.Timeout | undefined;

/** Faults of this process from now on, instead of those before. Each ends at its own time without being told. */
export function setCallFaults(faults: readonly CallFault[]): void {
  clearTimeout(expiry);
  const now = performance.now();
  const lasting = faults.filter(({ until }) => until > now);
  active = lasting.length === 0 ? undefined : lasting;
  if (active === undefined) return;
  const next = Math.min(...lasting.map(({ until }) => until));
  expiry = setTimeout(() => setCallFaults(lasting), Math.min(next - now, 2_147_483_647));
  expiry.unref();
}

/** Those that are in effect. */
export function callFaults(): readonly CallFault[] {
  return active ?? [];
}

/**
 * An injection point. Nothing when the call is not disturbed; else what has to be waited for before the call is made.
 *
 * @example
 * const disturbance = disturbanceOf('mail', 'send', tenant, signal);
 * if (disturbance !== undefined) await disturbance;
 */
export function disturbanceOf(
  service: string,
  operation: string,
  tenant: string,
  signal?: AbortSignal,
): Promise<void> | undefined {
  return active === undefined ? undefined : disturb(active, { service, operation, tenant }, signal);
}

/** The wall clock in milliseconds, off by what an experiment wants: for code whose input carries times. */
export function disturbedNow(service: string, operation: string, tenant: string): number {
  const now = Date.now();
  if (active === undefined) return now;
  const call = { service, operation, tenant };
  const at = performance.now();
  for (const fault of active)
    if (fault.effect.kind === 'clock-skew' && affects(fault, call, at)) return now + fault.effect.ms;
  return now;
}

function disturb(
  faults: readonly CallFault[],
  call: DisturbedCall,
  signal: AbortSignal | undefined,
): Promise<void> | undefined {
  const now = performance.now();
  const hit = faults.filter(
    (fault) => fault.effect.kind !== 'clock-skew' && affects(fault, call, now) && Math.random() < fault.share,
  );
  return hit.length === 0 ? undefined : carryOut(hit, signal);
}

async function carryOut(faults: readonly CallFault[], signal: AbortSignal | undefined): Promise<void> {
  for (const { id, effect, until } of faults) {
    const left = Math.max(0, until - performance.now());
    if (effect.kind === 'latency') {
      const wanted = effect.ms + (2 * Math.random() - 1) * effect.jitterMs;
      await sleep(Math.min(Math.max(0, wanted), left), undefined, { signal });
    } else if (effect.kind === 'error') {
      throw new InjectedError(id, effect.message);
    } else if (effect.kind === 'timeout') {
      await sleep(left, undefined, { signal });
      throw new InjectedError(id, 'The call had no answer: an experiment swallowed it.');
    }
  }
}
