import { percentile } from '../../core/chaos';
import { findFault } from '../../test/support/chaos-checker';
import type { ChaosDeployment } from '../../test/support/chaos-temporal';
import { until } from '../../test/support/until';
import type { Bench, Measured } from '../support/run-benchmark';
import { table } from '../support/table';

/** From the moment at which an abort condition becomes true until the checker no longer finds the fault. */
export async function measureAbortDelay(
  { quick, progress }: Bench,
  chaos: ChaosDeployment,
): Promise<Measured> {
  await chaos.startWorker();
  const delays: number[] = [];
  const fault = { id: '', driver: 'toxiproxy.latency', target: 'proxy-1' };
  const probe = {
    type: 'probe',
    name: 'answers',
    tolerance: 200,
    provider: { type: 'http', url: chaos.service.url },
  };
  try {
    for (let round = 0; round < (quick ? 3 : 10); round += 1) {
      chaos.service.status = 200;
      const run = await chaos.cf.chaos.run({
        experiment: {
          title: 'aborted',
          description: '',
          method: [],
          extensions: [
            {
              name: 'chronawflow',
              faults: [{ driver: fault.driver, target: fault.target, parameters: { latencyMs: 100 } }],
              duration: '60s',
              'abort-conditions': [{ kind: 'probe', probe }],
            },
          ],
        },
        requestedBy: 'bench',
      });
      await until(async () => (await run.status()).phase === 'observing', { limitMs: 60_000 });
      chaos.service.status = 500;
      const begun = performance.now();
      await until(async () => (await findFault(chaos.stage, fault)) === undefined, { limitMs: 60_000 });
      delays.push(performance.now() - begun);
      await run.result();
      progress.line(`aborted after ${Math.round(delays.at(-1) ?? 0)} ms`);
    }
  } finally {
    await chaos.stopWorker();
  }
  const [p50 = 0, p99 = 0] = [0.5, 0.99].map((share) => percentile(delays, share));
  return {
    text: table(
      'From an abort condition to the proved end, ms',
      ['', 'p50', 'p99'],
      [['abort', Math.round(p50), Math.round(p99)]],
    ),
    figures: { abort_delay_p50_ms: p50, abort_delay_p99_ms: p99 },
  };
}
