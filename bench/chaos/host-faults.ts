import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isExecutable, runProgram } from '../../core/cluster';
import type { StormFault } from '../../test/support/chaos-storm';
import { guardAgainstOrphans } from '../../test/support/orphan-guard';
import { removeDirectory, throwawayDirectory } from '../../test/support/throwaway-directory';
import type { Bench } from '../support/run-benchmark';

export interface HostFaults {
  readonly targets: Readonly<Record<string, unknown>>;
  readonly faults: readonly StormFault[];
}

/** What this host can be disturbed by beside servers and processes: a disk and a network of its own, pressure, calls. */
export async function hostFaults({ cleanUp }: Bench): Promise<HostFaults> {
  const directory = await throwawayDirectory('chaos-host');
  cleanUp.add(guardAgainstOrphans(directory));
  cleanUp.add(() => removeDirectory(directory));
  const targets: Record<string, unknown> = { calls: { kind: 'calls', service: 'mail' } };
  const faults: StormFault[] = [
    { driver: 'calls.latency', target: 'calls', parameters: { latencyMs: 200 } },
    { driver: 'calls.error', target: 'calls' },
    { driver: 'calls.timeout', target: 'calls' },
    { driver: 'calls.clock-skew', target: 'calls', parameters: { skewMs: 3_600_000 } },
  ];
  const scratch = join(directory, 'scratch');
  await mkdir(scratch);
  if (await succeeds('mount', '-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', scratch)) {
    cleanUp.add(() => runProgram('umount', ['-l', scratch]));
    targets.scratch = { kind: 'scratch-disk', path: scratch };
    faults.push({ driver: 'disk.full', target: 'scratch' });
  }
  const namespace = `cf-bench-${process.pid}`;
  await writeFile(join(directory, `${namespace}.netns`), '');
  if (await succeeds('ip', 'netns', 'add', namespace)) {
    cleanUp.add(() => runProgram('ip', ['netns', 'del', namespace]));
    targets[namespace] = { kind: 'network', namespace, device: 'lo' };
    faults.push({ driver: 'network.partition', target: namespace });
    const tc = (...args: string[]) => succeeds('ip', 'netns', 'exec', namespace, 'tc', 'qdisc', ...args);
    // Many kernels have no netem.
    if (await tc('add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms')) {
      await tc('del', 'dev', 'lo', 'root');
      faults.push(
        { driver: 'network.delay', target: namespace, parameters: { delayMs: 50 } },
        { driver: 'network.loss', target: namespace, parameters: { percent: 30 } },
      );
    }
  }
  if (await isExecutable('/usr/bin/stress-ng')) {
    targets.host = { kind: 'host', maxCpus: 1, maxMemory: 64_000_000, directory };
    faults.push(
      // Little of it: the other lanes are measured at the same time.
      { driver: 'pressure.cpu', target: 'host', parameters: { cpus: 1, load: 5 } },
      { driver: 'pressure.memory', target: 'host', parameters: { bytes: 8_388_608 } },
      { driver: 'pressure.disk', target: 'host', parameters: { bytes: 1_048_576 } },
    );
  }
  return { targets, faults };
}

function succeeds(file: string, ...args: string[]): Promise<boolean> {
  return runProgram(file, args).then(
    () => true,
    () => false,
  );
}
