/**
 * `npm run bench -- chaos [--quick] [--json]`: experiments during which something dies, and what is left of their faults when
 * their leases are over. How the figures came out: docs/resilience/chaos.md.
 */
import { startChaosDeployment } from '../test/support/chaos-temporal';
import { measureAbortDelay } from './chaos/abort-delay';
import { hostFaults } from './chaos/host-faults';
import { measureIdleInjection } from './chaos/idle-injection';
import { standbyFaults } from './chaos/standby-faults';
import { measureStorm } from './chaos/storm';
import { measureToolkit } from './chaos/toolkit-side';
import type { Goals } from './support/goals.pure';
import { type Bench, type Measured, runBenchmark } from './support/run-benchmark';

const GOALS: Goals = {
  experiments: process.argv.includes('--quick') ? '>=20' : '>=200',
  kills: process.argv.includes('--quick') ? '>=10' : '>=100',
  fault_kinds: process.argv.includes('--quick') ? '>=8' : '>=12',
  residual: '==0',
  overstay_p99_ms: '<=2000',
  abort_delay_p99_ms: '<=2000',
  idle_injection_ns: '<=50',
};

async function measure(bench: Bench): Promise<Measured> {
  const idle = measureIdleInjection();
  const host = await hostFaults(bench);
  const standby = await standbyFaults(bench);
  const chaos = await startChaosDeployment({ leaseTerm: '4s' }, { ...host.targets, ...standby.targets });
  bench.cleanUp.add(() => chaos.stop());
  const sections: Measured[] = [
    idle,
    await measureStorm(bench, chaos, { host: host.faults, standby: standby.faults }),
  ];
  for (const section of [measureAbortDelay, measureToolkit]) sections.push(await section(bench, chaos));
  return {
    text: sections.map(({ text }) => text).join('\n\n'),
    figures: Object.assign({}, ...sections.map(({ figures }) => figures)),
  };
}

runBenchmark('chaos', GOALS, measure);
