import { connect } from 'node:net';
import { z } from 'zod';
import { killProcess } from '../../lease';
import type { TargetOf } from '../driver';
import { findUnit, startUnit, type Unit } from '../process/unit';
import { proxyDefinition, ToxiproxyApi } from './toxiproxy-api';

/** Every proxy of the Toxiproxy as it was: when it is restarted, all of them are gone, not only the disturbed one. */
export const savedProxies = z.strictObject({ proxies: z.array(proxyDefinition) });

export type SavedProxies = z.output<typeof savedProxies>;

/** Toxics of faults are no part of how it was. */
export const FAULT_PREFIX = 'chaos-';

export async function saveProxies(api: ToxiproxyApi): Promise<SavedProxies> {
  const proxies = [...(await api.proxies()).values()].map((proxy) => ({
    ...proxy,
    toxics: proxy.toxics.filter(({ name }) => !name.startsWith(FAULT_PREFIX)),
  }));
  return { proxies };
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

const START_LIMIT_MS = 5_000;

/** Ends a Toxiproxy that hangs and starts it anew, empty. @throws DependencyMissingError when nothing says how */
export async function restartToxiproxy(
  target: TargetOf<'toxiproxy'>,
  signal: AbortSignal,
): Promise<ToxiproxyApi> {
  const unit = unitOf(target);
  if (unit === undefined)
    throw new Error('Toxiproxy does not answer, and the target says nothing of its process.');
  const hanging = await findUnit(unit);
  if (hanging !== undefined) await killProcess(hanging);
  await startUnit(unit);
  const api = new ToxiproxyApi(target.url, signal);
  const limit = performance.now() + START_LIMIT_MS;
  for (;;) {
    signal.throwIfAborted();
    const answers = await api.proxies().then(
      () => true,
      () => false,
    );
    if (answers) return api;
    if (performance.now() > limit) throw new Error('Toxiproxy was started again and does not answer.');
  }
}

function unitOf({ pidFile, start }: TargetOf<'toxiproxy'>): Unit | undefined {
  return pidFile === undefined || start === undefined ? undefined : { pidFile, start };
}

/** Whether a connection through the proxy is accepted. */
export function acceptsConnections(listen: string, limitMs = 1_000): Promise<boolean> {
  const at = listen.lastIndexOf(':');
  const host = listen.slice(0, at).replaceAll(/[[\]]/g, '');
  const unspecified = host === '' || host === '::' || host === '0.0.0.0';
  return new Promise((resolve) => {
    const socket = connect({ host: unspecified ? '127.0.0.1' : host, port: Number(listen.slice(at + 1)) });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.setTimeout(limitMs, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
