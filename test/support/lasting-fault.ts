import { join } from 'node:path';
import { type ChaosHost, endFault, type FaultLease, injectFault } from '../../core/chaos';
import { writeWhole } from '../../core/chaos/lease/durable-file';
import { findFault } from './chaos-checker';
import { type ChaosStage, newLeaseId } from './chaos-stage';
import { until } from './until';

/** What most tests inject: quickly there, and quickly seen. */
export const LATENCY = { driver: 'toxiproxy.latency', target: 'proxy-1', parameters: { latencyMs: 200 } };

/** A fault that is there for longer than any test, and that nobody renews. */
export function injectLasting(
  stage: ChaosStage,
  wanted: { readonly driver: string; readonly target: string; readonly parameters?: object },
): Promise<FaultLease> {
  return injectFault(stage.host, stage.programs, {
    leaseId: newLeaseId(),
    experiment: 'chaos/test/1',
    parameters: {},
    ...wanted,
    ...{ durationMs: 600_000, termMs: 600_000 },
  });
}

/** Ends it as whoever injected it would. */
export const rollBack = (host: ChaosHost, lease: FaultLease) =>
  endFault(host, lease, { by: 'test', reason: 'rolled-back', limitMs: 60_000 });

/** Makes its time pass at once: a short one might be over before a slow machine has injected. */
export const letPass = (host: ChaosHost, lease: FaultLease) =>
  writeWhole(join(host.journal.directory, 'leases', lease.id, 'lease.json'), {
    ...lease,
    deadlineMs: lease.createdMs,
  });

/** Until neither the world nor the journal has it. */
export const untilGone = (stage: ChaosStage, lease: FaultLease) =>
  until(
    async () =>
      (await findFault(stage, lease)) === undefined &&
      (await stage.host.journal.find(lease.id)) === undefined,
    { what: `${lease.driver} to be gone` },
  );
