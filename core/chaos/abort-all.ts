import { messageOf } from '../errors';
import { endFault } from './end-fault';
import type { ChaosHost } from './host';
import type { LeaseStore } from './lease';

export interface AbortReport {
  /** Leases that were ended, each proved by its driver's probe. */
  readonly ended: readonly string[];
  readonly remaining: readonly { readonly id: string; readonly reason: string }[];
  /** Faults of other hosts whose reapers were asked; undefined when the control plane is away. */
  readonly askedElsewhere: number | undefined;
  /** Why nobody was asked elsewhere, such as the code of a refused signature. */
  readonly notAsked?: string;
}

/**
 * Ends every fault of this host now, by its journal alone: Temporal, the control plane and the guards may all be away. Faults of
 * other hosts are asked for in the control plane.
 *
 * @param ask how, where operators sign; it keeps nothing here from ending
 */
export async function abortAll(
  host: ChaosHost,
  by: string,
  limitMs = 20_000,
  ask: (store: LeaseStore) => Promise<number> = (store) => store.requestAbort(by),
): Promise<AbortReport> {
  let notAsked: string | undefined;
  const asked =
    host.store &&
    ask(host.store).catch((error: unknown) => {
      notAsked = messageOf(error);
      return undefined;
    });
  const { leases, unreadable } = await host.journal.all();
  const results = await Promise.all(
    leases.map(async (lease) => {
      try {
        await endFault(host, lease, { by, reason: 'aborted', limitMs });
        return { id: lease.id, reason: undefined };
      } catch (error) {
        return { id: lease.id, reason: messageOf(error) };
      }
    }),
  );
  const here = new Set(leases.map(({ id }) => id));
  const total = await asked;
  return {
    ended: results.filter(({ reason }) => reason === undefined).map(({ id }) => id),
    remaining: [
      ...results.flatMap(({ id, reason }) => (reason === undefined ? [] : [{ id, reason }])),
      ...unreadable,
    ],
    askedElsewhere: total === undefined ? undefined : Math.max(0, total - here.size),
    ...(notAsked === undefined ? {} : { notAsked }),
  };
}
