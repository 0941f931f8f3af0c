import type { ChaosReport } from '../../core/chaos/types';
import type { ChaosDeployment } from './chaos-temporal';

/** A fault that each of these tests can take away by itself. */
export const LATENCY = { driver: 'toxiproxy.latency', target: 'proxy-1', parameters: { latencyMs: 100 } };

/** The same for the checker. */
export const disturbedProxy = { id: '', driver: LATENCY.driver, target: LATENCY.target };

/** Small experiments on a deployment's probed service, and how they are run. */
export function smallExperiments(deployment: () => ChaosDeployment) {
  const run = async (document: Record<string, unknown>, more: object = {}): Promise<ChaosReport> => {
    const started = await deployment().cf.chaos.run({ experiment: document, requestedBy: 'ada', ...more });
    return started.result();
  };
  return {
    run,
    /** The error of one that has to be refused. */
    refused: (document: Record<string, unknown>): Promise<{ code: unknown; message: string }> =>
      run(document).then(
        () => ({ code: undefined, message: '' }),
        (error: Error & { code?: unknown }) => ({ code: error.code, message: error.message }),
      ),
    experiment: (extension: object = {}, more: object = {}): Record<string, unknown> => ({
      title: 'the service answers',
      description: 'also while its database is slow',
      'steady-state-hypothesis': {
        title: 'it answers',
        probes: [
          {
            type: 'probe',
            name: 'answers',
            provider: { type: 'http', url: deployment().service.url },
            tolerance: 200,
          },
        ],
      },
      method: [],
      extensions: [{ name: 'chronawflow', faults: [LATENCY], duration: '1s', recovery: '0s', ...extension }],
      ...more,
    }),
    action: (name: string, path: string) => ({
      type: 'action',
      name,
      provider: { type: 'http', url: `${deployment().service.url}${path}`, method: 'POST' },
    }),
  };
}
