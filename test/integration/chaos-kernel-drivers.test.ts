import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { endFault, injectFault } from '../../core/chaos';
import { isExecutable } from '../../core/cluster';
import { disturbanceOf, disturbedNow, followCallFaults } from '../../core/injection-points';
import { createPool } from '../../database';
import { findFault } from '../support/chaos-checker';
import { type ChaosStage, newLeaseId, startChaosStage } from '../support/chaos-stage';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** Faults that need a right or a program which not every machine gives. */
const namespace = `cf-chaos-${process.pid}`;
let disk: string;
let stage: ChaosStage;
let may: {
  readonly mount: boolean;
  readonly network: boolean;
  readonly netem: boolean;
  readonly stress: boolean;
};

/** Says what this machine cannot show, instead of passing in silence. */
function leftOut(why: string): void {
  process.stderr.write(`left out: ${why}\n`);
}

function succeeds(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  disk = await throwawayDirectory('chaos-disk');
  const scratch = join(disk, 'scratch');
  mkdirSync(scratch);
  may = {
    mount: succeeds('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', scratch),
    network:
      succeeds('ip', 'netns', 'add', namespace) &&
      succeeds('ip', 'netns', 'exec', namespace, 'tc', 'qdisc', 'show'),
    netem: succeeds(
      'ip',
      'netns',
      'exec',
      namespace,
      'tc',
      'qdisc',
      'add',
      'dev',
      'lo',
      'root',
      'netem',
      'delay',
      '1ms',
    ),
    stress: await isExecutable('/usr/bin/stress-ng'),
  };
  if (may.netem) succeeds('ip', 'netns', 'exec', namespace, 'tc', 'qdisc', 'del', 'dev', 'lo', 'root');
  stage = await startChaosStage({
    targets: {
      scratch: { kind: 'scratch-disk', path: scratch },
      'no-mount': { kind: 'scratch-disk', path: disk },
      [namespace]: { kind: 'network', namespace, device: 'lo' },
      host: { kind: 'host', maxCpus: 1, maxMemory: 64_000_000, directory: disk },
      calls: { kind: 'calls', service: 'mail' },
    },
  });
}, 240_000);

afterAll(async () => {
  await stage?.stop();
  if (may?.network) succeeds('ip', 'netns', 'del', namespace);
  if (may?.mount) execFileSync('umount', ['-l', join(disk, 'scratch')]);
  await removeDirectory(disk);
}, 240_000);

function inject(driver: string, target: string, parameters: object = {}, durationMs = 60_000) {
  return injectFault(stage.host, stage.programs, {
    ...{ leaseId: newLeaseId(), experiment: 'chaos/test/1', driver, target, parameters, durationMs },
    termMs: 60_000,
  });
}

const roll = { by: 'test', reason: 'rolled-back' } as const;
const free = () => statfsSync(join(disk, 'scratch')).bavail;

test('a full scratch file system has its room again', async () => {
  if (!may.mount) return leftOut('this user may not mount, so there is no file system to fill');
  const before = free();
  const lease = await inject('disk.full', 'scratch');
  expect(free()).toBe(0);
  await endFault(stage.host, lease, roll);
  expect(free()).toBe(before);
}, 240_000);

test('what is no file system of its own is never filled', async () => {
  await expect(inject('disk.full', 'no-mount')).rejects.toThrow(/no mount point/);
}, 240_000);

test.each([
  ['network.delay', { delayMs: 50 }],
  ['network.loss', { percent: 30 }],
  ['network.partition', {}],
] as const)(
  '%s is there when it was injected and gone when it was ended',
  async (driver, parameters) => {
    if (!may.network) return leftOut('this user may not make network namespaces');
    if (!may.netem && driver !== 'network.partition') {
      leftOut(`${driver} itself: this kernel has no netem`);
      await expect(inject(driver, namespace, parameters)).rejects.toThrow(/kernel has no netem/);
      return;
    }
    const lease = await inject(driver, namespace, parameters);
    expect(await findFault(stage, lease)).toContain('cf1:');
    await endFault(stage.host, lease, roll);
    expect(await findFault(stage, lease)).toBeUndefined();
  },
  240_000,
);

test.each([
  ['pressure.cpu', { cpus: 1, load: 10 }],
  ['pressure.memory', { bytes: 8_388_608 }],
  ['pressure.disk', { bytes: 1_048_576 }],
] as const)(
  '%s ends with everything it started, or says what is missing',
  async (driver, parameters) => {
    if (!may.stress) {
      leftOut(`${driver} itself: stress-ng is not installed`);
      await expect(inject(driver, 'host', parameters)).rejects.toThrow(/stress-ng is not installed/);
      return;
    }
    const lease = await inject(driver, 'host', parameters);
    // Of this stage: another test may have its own at the same time.
    expect(await findFault(stage, lease)).toMatch(/^stress-ng runs as /);
    await endFault(stage.host, lease, roll);
    expect(await findFault(stage, lease)).toBeUndefined();
    expect(existsSync(join(disk, `chaos-${lease.id}`))).toBe(false);
  },
  240_000,
);

test('faults of calls take effect in a process that follows them, and end there by themselves', async () => {
  const pool = createPool(stage.controlPlane.connection('platform'), { applicationName: 'test', max: 1 });
  const stop = followCallFaults(pool, { targets: stage.host.targets, everyMs: 50 });
  try {
    const failing = () => {
      const disturbance = disturbanceOf('mail', 'send', 't1');
      disturbance?.catch(() => undefined);
      return disturbance !== undefined;
    };
    const lease = await inject('calls.error', 'calls', { tenants: ['t1'] }, 600_000);
    await until(failing, { what: 'the call to fail' });
    expect(disturbanceOf('mail', 'send', 't2')).toBeUndefined();
    expect(disturbanceOf('tax', 'send', 't1')).toBeUndefined();
    await endFault(stage.host, lease, roll);
    // Long before its time, with a look that may be late on a busy machine.
    await until(() => !failing(), { what: 'the call to succeed' });

    // Long enough to be seen by a process that is held up.
    await inject('calls.clock-skew', 'calls', { skewMs: -7_200_000 }, 15_000);
    await until(() => Date.now() - disturbedNow('mail', 'send', 't1') > 7_000_000, {
      what: 'the clock to be off',
    });
    await stage.controlPlane.halt('immediate');
    await until(() => Date.now() - disturbedNow('mail', 'send', 't1') < 1_000_000, {
      what: 'the clock to be right',
    });
  } finally {
    await stage.controlPlane.start();
    await stop();
    await pool.end();
  }
}, 240_000);
