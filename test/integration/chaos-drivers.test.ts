import { readFile } from 'node:fs/promises';
import { endFault, injectFault } from '../../core/chaos';
import { findFault } from '../support/chaos-checker';
import { type ChaosStage, newLeaseId, startChaosStage } from '../support/chaos-stage';
import { until } from '../support/until';

let stage: ChaosStage;
beforeAll(async () => {
  stage = await startChaosStage();
}, 240_000);
afterAll(() => stage?.stop(), 120_000);

/** Every driver that needs no right beyond its target, with what it is tried with. */
const FAULTS: readonly (readonly [driver: string, target: string, parameters: object])[] = [
  ['toxiproxy.latency', 'proxy-1', { latencyMs: 500, jitterMs: 20 }],
  ['toxiproxy.bandwidth', 'proxy-1', { kilobytesPerSecond: 1 }],
  ['toxiproxy.reset', 'proxy-1', {}],
  ['toxiproxy.timeout', 'proxy-1', {}],
  ['toxiproxy.slow-close', 'proxy-1', { delayMs: 500 }],
  ['toxiproxy.down', 'proxy-1', {}],
  ['process.stop', 'unit', {}],
  ['postgres.connections', 'database', {}],
  ['postgres.lock', 'database', { table: 'public.ledger' }],
  ['postgres.terminate', 'database', {}],
  ['postgres.read-only', 'database', {}],
  ['postgres.slow-statements', 'database', {}],
  ['postgres.archiving-broken', 'database', {}],
  ['backup.flipped', 'repository', { file: 'base.tar' }],
  ['backup.lost', 'repository', { file: 'base.tar' }],
];

test.each(FAULTS)(
  '%s is there when it was injected and gone when it was ended',
  async (driver, target, parameters) => {
    const before = await readFile(stage.backupFile);
    const lease = await injectFault(stage.host, stage.programs, {
      leaseId: newLeaseId(),
      experiment: 'chaos/test/1',
      ...{ driver, target, parameters },
      durationMs: 600_000,
      termMs: 600_000,
    });
    // A process that was sent SIGSTOP stops when it is its turn.
    await until(async () => (await findFault(stage, lease)) !== undefined, { what: 'the fault' });
    await endFault(stage.host, lease, { by: 'test', reason: 'rolled-back' });
    expect(await findFault(stage, lease)).toBeUndefined();
    expect(await readFile(stage.backupFile)).toEqual(before);
    expect((await stage.host.journal.ended(lease.id))?.reason).toBe('rolled-back');
  },
  180_000,
);
