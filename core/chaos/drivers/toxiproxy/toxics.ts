import { z } from 'zod';
import { defineDriver } from '../define-driver';
import type { AnyDriver } from '../driver';
import { acceptsConnections } from './accepts-connections';
import { type SavedProxies, savedProxies, saveProxies } from './saved-proxies';
import { changeBack, toxicDriver, whole } from './toxic-driver';
import { ToxiproxyApi } from './toxiproxy-api';

const stream = {
  stream: z.enum(['upstream', 'downstream']).default('downstream'),
  /** Share of the connections, 0 to 1. */
  toxicity: z.number().gt(0).lte(1).default(1),
};
const ms = z.number().int().min(0).max(3_600_000);

/** Faults of a TCP connection. Units and meanings are Toxiproxy's: https://github.com/Shopify/toxiproxy#toxics */
export const toxiproxyDrivers: readonly AnyDriver[] = [
  toxicDriver({
    name: 'toxiproxy.latency',
    summary: 'every answer is late, by a fixed time and a jitter around it',
    parameters: z.strictObject({ latencyMs: ms, jitterMs: ms.default(0), ...stream }),
    toxic: ({ latencyMs, jitterMs, ...way }) => ({
      type: 'latency',
      ...way,
      attributes: { latency: latencyMs, jitter: jitterMs },
    }),
  }),
  toxicDriver({
    name: 'toxiproxy.bandwidth',
    summary: 'so many kilobytes a second pass',
    parameters: z.strictObject({ kilobytesPerSecond: z.number().int().min(0).max(1_000_000), ...stream }),
    toxic: ({ kilobytesPerSecond, ...way }) => ({
      type: 'bandwidth',
      ...way,
      attributes: { rate: kilobytesPerSecond },
    }),
  }),
  toxicDriver({
    name: 'toxiproxy.reset',
    summary: 'connections are reset, after a time',
    parameters: z.strictObject({ afterMs: ms.default(0), ...stream }),
    toxic: ({ afterMs, ...way }) => ({ type: 'reset_peer', ...way, attributes: { timeout: afterMs } }),
  }),
  toxicDriver({
    name: 'toxiproxy.timeout',
    summary: 'nothing passes; the connection is closed after a time, or never with 0',
    parameters: z.strictObject({ afterMs: ms.default(0), ...stream }),
    toxic: ({ afterMs, ...way }) => ({ type: 'timeout', ...way, attributes: { timeout: afterMs } }),
  }),
  toxicDriver({
    name: 'toxiproxy.slow-close',
    summary: 'connections close late',
    parameters: z.strictObject({ delayMs: ms, ...stream }),
    toxic: ({ delayMs, ...way }) => ({ type: 'slow_close', ...way, attributes: { delay: delayMs } }),
  }),
  defineDriver<'toxiproxy', Record<never, never>, SavedProxies>({
    name: 'toxiproxy.down',
    targetKind: 'toxiproxy',
    summary: 'connections are refused, and those that are open are closed',
    parameters: z.strictObject({}),
    saved: savedProxies,
    afterPowerLoss: 'stays',
    boundedBy: 'the reaper',
    prepare: ({ target, others, signal }) =>
      saveProxies(target, new ToxiproxyApi(target.url, signal), others),
    inject: ({ target, signal }) => new ToxiproxyApi(target.url, signal).setEnabled(target.proxy, false),
    remove: (call) => changeBack(call, (api, proxy) => api.setEnabled(proxy, true)),
    isThere: async (call) => {
      const proxy = await whole(call);
      return proxy === undefined || !proxy.enabled || !(await acceptsConnections(proxy.listen));
    },
  }),
];
