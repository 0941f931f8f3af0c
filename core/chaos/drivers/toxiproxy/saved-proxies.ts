import { z } from 'zod';
import type { TargetOf } from '../driver';
import { type ProxyDefinition, proxyDefinition, type ToxiproxyApi } from './toxiproxy-api';

/** Every proxy of the Toxiproxy as it was: when it is restarted, all of them are gone, not only the disturbed one. */
export const savedProxies = z.strictObject({ proxies: z.array(proxyDefinition) });

export type SavedProxies = z.output<typeof savedProxies>;

/** Toxics of faults are no part of how it was. */
export const FAULT_PREFIX = 'chaos-';

type Toxiproxy = TargetOf<'toxiproxy'>;

/**
 * How it is, and what is missing of it because Toxiproxy has just been started again for another fault, which brings that back.
 *
 * @param others what the faults that are open have saved, of this Toxiproxy and of others
 */
export async function saveProxies(
  target: Toxiproxy,
  api: ToxiproxyApi,
  others: readonly { readonly target: Toxiproxy; readonly saved: SavedProxies }[],
): Promise<SavedProxies> {
  const there = await api.proxies();
  if (!there.has(target.proxy)) throw new Error(`Toxiproxy has no proxy ${target.proxy}.`);
  const known = others
    .filter((other) => other.target.url === target.url)
    .flatMap(({ saved }) => saved.proxies);
  const all = new Map<string, ProxyDefinition>([
    ...known.map((proxy) => [proxy.name, proxy] as const),
    ...there,
  ]);
  return {
    proxies: [...all.values()].map((proxy) => ({
      ...proxy,
      toxics: proxy.toxics.filter(({ name }) => !name.startsWith(FAULT_PREFIX)),
    })),
  };
}

/**
 * Recreates the proxies that are missing. All come back enabled: one that was disabled then was so by another fault, which has
 * ended, or whose own end takes care of it.
 */
export async function restoreProxies(api: ToxiproxyApi, saved: SavedProxies): Promise<void> {
  const there = await api.proxies();
  for (const proxy of saved.proxies) {
    if (there.has(proxy.name)) continue;
    await api.create({ ...proxy, enabled: true });
    for (const toxic of proxy.toxics) await api.addToxic(proxy.name, toxic);
  }
}
