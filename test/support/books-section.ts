/** AccuBooks' levels in tests and benchmarks: a second where an installation has five, a dwell of eight. */
export const BOOKS_SECTION = {
  interval: '1s',
  dwell: '8s',
  staleAfter: '5s',
  slowStart: '2s',
  recoveriesPerHour: 100,
  core: ['post-entry', 'take-payment', 'sign-in'],
  levels: [
    {
      name: 'reduced',
      when: {
        latency: { enter: '700ms', leave: '350ms' },
        'error-rate': { enter: 0.05, leave: 0.02 },
      },
      off: ['reports'],
      holdJobs: ['low'],
      timeoutScale: 0.5,
    },
    {
      name: 'core-only',
      when: { 'error-rate': { enter: 0.5, leave: 0.2 } },
      limits: { high: 0.5, normal: 0.2, low: 0 },
    },
  ],
};
