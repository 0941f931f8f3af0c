import { injectFault } from '../../core/chaos';
import { newLeaseId, startChaosStage } from './chaos-stage';

/** Stands for a test that is broken off while a fault is there: says when it is, and waits to be killed. */
async function main(): Promise<void> {
  const stage = await startChaosStage();
  await injectFault(stage.host, stage.programs, {
    ...{ leaseId: newLeaseId(), experiment: 'chaos/test/1', driver: 'toxiproxy.latency', target: 'proxy-1' },
    ...{ parameters: { latencyMs: 100 }, durationMs: 600_000, termMs: 5_000 },
  });
  stage.controller({
    ...{ leaseId: newLeaseId(), driver: 'process.stop', target: 'unit' },
    ...{ durationMs: 600_000, termMs: 5_000 },
  });
  console.log(`ready ${stage.directory} ${stage.toxiproxy.directory}`);
  setInterval(() => undefined, 60_000);
}

void main();
