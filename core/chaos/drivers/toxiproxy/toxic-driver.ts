import type { z } from 'zod';
import { messageOf } from '../../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, EndCall, TargetOf } from '../driver';
import {
  acceptsConnections,
  FAULT_PREFIX,
  restartToxiproxy,
  restoreProxies,
  type SavedProxies,
  savedProxies,
  saveProxies,
} from './restore-proxies';
import { ToxiproxyApi } from './toxiproxy-api';

export interface ToxicKind<P extends object> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: z.ZodType<P>;
  /** Toxiproxy's type and attributes for the parameters. */
  toxic(parameters: P): {
    readonly type: string;
    readonly stream: 'upstream' | 'downstream';
    readonly toxicity: number;
    readonly attributes: Readonly<Record<string, unknown>>;
  };
}

/** A fault that is one toxic of one proxy, named after its lease. */
export function toxicDriver<P extends object>(kind: ToxicKind<P>): AnyDriver {
  return defineDriver<'toxiproxy', P, SavedProxies>({
    name: kind.name,
    targetKind: 'toxiproxy',
    summary: kind.summary,
    parameters: kind.parameters,
    saved: savedProxies,
    // Toxiproxy keeps nothing on disk; its proxies are gone as well, and the reaper recreates them.
    afterPowerLoss: 'stays',
    boundedBy: 'the reaper',
    prepare: ({ target, signal }) => savedWith(target, new ToxiproxyApi(target.url, signal)),
    inject: async ({ leaseId, target, parameters, signal }) => {
      const toxic = { name: toxicName(leaseId), ...kind.toxic(parameters) };
      await new ToxiproxyApi(target.url, signal).addToxic(target.proxy, toxic);
    },
    remove: ({ leaseId, ...call }) =>
      changeBack(call, (api, proxy) => api.removeToxic(proxy, toxicName(leaseId))),
    isThere: async ({ leaseId, target, signal }) => {
      const proxy = (await new ToxiproxyApi(target.url, signal).proxies()).get(target.proxy);
      // A proxy that is missing is a target that is down.
      if (proxy === undefined || proxy.toxics.some(({ name }) => name === toxicName(leaseId))) return true;
      return proxy.enabled && !(await acceptsConnections(proxy.listen));
    },
  });
}

export async function savedWith(target: TargetOf<'toxiproxy'>, api: ToxiproxyApi): Promise<SavedProxies> {
  const saved = await saveProxies(api);
  if (!saved.proxies.some(({ name }) => name === target.proxy))
    throw new Error(`Toxiproxy has no proxy ${target.proxy}.`);
  return saved;
}

/** The inverse, with the ways around a Toxiproxy that hangs, was killed, or has forgotten its proxies. */
export async function changeBack(
  { target, saved, signal }: Pick<EndCall<'toxiproxy', unknown, SavedProxies>, 'target' | 'saved' | 'signal'>,
  inverse: (api: ToxiproxyApi, proxy: string) => Promise<void>,
): Promise<void> {
  let api = new ToxiproxyApi(target.url, signal);
  try {
    if ((await api.proxies()).has(target.proxy)) await inverse(api, target.proxy);
  } catch (error) {
    if (signal.aborted) throw error;
    api = await restartToxiproxy(target, signal).catch((cause: unknown) => {
      throw new Error(`${messageOf(error)}; ${messageOf(cause)}`, { cause });
    });
  }
  if (saved !== undefined) await restoreProxies(api, saved);
}

function toxicName(leaseId: string): string {
  return `${FAULT_PREFIX}${leaseId}`;
}
