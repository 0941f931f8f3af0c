import { parseConfig } from '../../config';
import { loadPolicy } from '../../core/degradation/load-policy';
import type { Policy } from '../../core/degradation/types';

/** The least configuration around a section `degradation`. */
export const configWith = (degradation: unknown) => ({
  platform: { database: { host: '/none', database: 'd', user: 'u' } },
  application: {
    database: { host: '/none', database: 'd', user: 'u' },
    backup: { stanza: 'none', configFile: '/none' },
  },
  tenancy: { table: 'public.tenants' },
  degradation,
});

export function policyWith(degradation: unknown): Policy {
  const { degradation: section } = parseConfig(JSON.stringify(configWith(degradation)), {
    file: '/tmp/chronawflow.yaml',
    env: {},
  });
  if (section === undefined) throw new Error('there is no section');
  return loadPolicy(section);
}

/** Three levels by two signals, for AccuBooks. */
export const BOOKS = {
  interval: '1s',
  dwell: '20s',
  recoveriesPerHour: 6,
  core: ['post-entry', 'take-payment', 'sign-in'],
  levels: [
    {
      name: 'reduced',
      when: { 'error-rate': { enter: 0.05, leave: 0.02 }, latency: { enter: '500ms', leave: '200ms' } },
      off: ['exports'],
      limits: { low: 0.5 },
      holdJobs: ['low'],
    },
    {
      name: 'limited',
      when: { 'error-rate': { enter: 0.15, leave: 0.05 }, latency: { enter: '1s', leave: '400ms' } },
      off: ['reports'],
      cacheOnly: ['dashboard'],
      limits: { low: 0, normal: 0.5 },
      timeoutScale: 0.8,
    },
    {
      name: 'core-only',
      when: { 'error-rate': { enter: 0.3, leave: 0.1 } },
      off: ['search'],
      limits: { low: 0, normal: 0, high: 0.5 },
      holdJobs: ['normal'],
      timeoutScale: 0.5,
    },
  ],
};
