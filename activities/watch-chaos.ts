import { setTimeout as sleep } from 'node:timers/promises';
import { endFault, firstThatHolds } from '../core/chaos';
import type { ChaosAbort, ChaosStepInput, PlannedFault } from '../core/chaos/types';
import { chaosSection, openExperiment } from './chaos-run';
import type { ChaosServices } from './chaos-services';

const LOOK_EVERY_MS = 1_000;

/**
 * Keeps the leases alive and looks each second whether the experiment has to stop. When it has, the faults are ended here and at
 * once; the workflow hears of it afterwards.
 */
export async function watchChaos(
  services: ChaosServices,
  input: ChaosStepInput & { readonly faults: readonly PlannedFault[] },
  signal: AbortSignal,
): Promise<ChaosAbort> {
  const { journal } = services.host;
  const { experiment, context } = await openExperiment(services, input, signal);
  const conditions = [...experiment.chaos['abort-conditions'], ...chaosSection(services).refuseWhen];
  for (;;) {
    const begun = performance.now();
    for (const { leaseId, driver } of input.faults) {
      if (await journal.renew(leaseId)) continue;
      const ended = await journal.ended(leaseId);
      const reason = `the lease of ${driver} has ended: ${ended?.reason ?? 'unknown'}${ended ? `, by ${ended.by}` : ''}`;
      return { kind: 'lease-ended', reason, rolledBackAfterMs: await endAll(services, input.faults) };
    }
    const reason = await firstThatHolds(conditions, context, services.platform);
    if (reason !== undefined)
      return { kind: 'condition', reason, rolledBackAfterMs: await endAll(services, input.faults) };
    await sleep(Math.max(0, LOOK_EVERY_MS - (performance.now() - begun)), undefined, { signal });
  }
}

/** @returns milliseconds until every fault was proved to be gone, or left to the guards. */
async function endAll({ host }: ChaosServices, faults: readonly PlannedFault[]): Promise<number> {
  const begun = performance.now();
  await Promise.all(
    faults.map(async ({ leaseId }) => {
      const lease = await host.journal.find(leaseId);
      if (lease === undefined) return;
      await endFault(host, lease, { by: 'controller', reason: 'aborted' }).catch((error: unknown) =>
        host.log.error({ lease: leaseId, err: error }, 'left to the guards'),
      );
    }),
  );
  return Math.round(performance.now() - begun);
}
