import type { z } from 'zod';
import type { configSchema } from '../../config';

/**
 * Levels to begin with: the core is AccuBooks', the example application's. Saturation is left out, because what is busy on a developer's
 * machine is anything but the stack.
 */
export const DEGRADATION_SECTION: z.input<typeof configSchema>['degradation'] = {
  interval: '2s',
  dwell: '60s',
  core: ['post-entry', 'take-payment', 'sign-in'],
  levels: [
    {
      name: 'reduced',
      when: {
        'error-rate': { enter: 0.05, leave: 0.02 },
        latency: { enter: '2s', leave: '1s' },
        'open-breakers': { enter: 1, leave: 0 },
      },
      off: ['exports'],
      limits: { low: 0.5 },
      holdJobs: ['low'],
    },
    {
      name: 'limited',
      when: { 'error-rate': { enter: 0.15, leave: 0.05 }, latency: { enter: '5s', leave: '2.5s' } },
      off: ['reports'],
      limits: { low: 0, normal: 0.7 },
      timeoutScale: 0.8,
    },
    {
      name: 'core-only',
      when: { 'error-rate': { enter: 0.3, leave: 0.1 } },
      off: ['search'],
      limits: { high: 0.5, normal: 0 },
      holdJobs: ['normal'],
    },
  ],
};
