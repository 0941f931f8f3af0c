import { execFileSync } from 'node:child_process';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FaultLease, readGuard } from '../../core/chaos';
import { isAlive } from '../../core/chaos/lease';
import { startDetached, stopDetached } from '../../core/cluster';
import { findFault } from '../support/chaos-checker';
import { type ChaosStage, startChaosStage } from '../support/chaos-stage';
import { CleanUp } from '../support/clean-up';
import { injectLasting } from '../support/lasting-fault';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** More than the threads that Node has for file systems of its own accord. */
const HANGING = 6;
const SLEEP = { program: '/bin/sleep', args: ['3600'] };

const cleanUp = new CleanUp();
const units: string[] = [];
let stage: ChaosStage;

beforeAll(async () => {
  const directory = await throwawayDirectory('chaos-hanging');
  cleanUp.add(() => removeDirectory(directory));
  const targets: Record<string, unknown> = {};
  for (let n = 0; n < HANGING; n += 1) {
    const place = join(directory, `unit-${n}`);
    await mkdir(place);
    const recordFile = join(place, 'process.json');
    units.push(recordFile);
    cleanUp.add(() => stopDetached(recordFile));
    await startDetached({ file: SLEEP.program, args: SLEEP.args, recordFile, logFile: `${recordFile}.log` });
    targets[`unit-${n}`] = { kind: 'process', pidFile: recordFile, command: '/bin/sleep 3600', start: SLEEP };
  }
  stage = await startChaosStage({ targets });
  cleanUp.add(() => stage.stop());
}, 240_000);
afterAll(() => cleanUp.run(), 120_000);

const inject = (driver: string, target: string, parameters: object = {}) =>
  injectLasting(stage, { driver, target, parameters });

/** As somebody elsewhere asks for it: only the guards are left to do it. */
const abort = (leases: readonly FaultLease[]) =>
  stage.platform.query(
    'update chronawflow.fault_lease set abort_requested_at = clock_timestamp() where id = any ($1)',
    [leases.map(({ id }) => id)],
  );

/** Whoever waits reads an end, and whoever comes later finds nothing. */
async function answer(): Promise<void> {
  for (const file of units) {
    const writer = await open(file, 'r+').catch(() => undefined);
    if ((await writer?.stat())?.isFIFO()) await rm(file);
    await writer?.close();
  }
}

test('invariant 8: inverses that hang in a file system hold up no other one, and go on when it answers', async () => {
  const { journal } = stage.host;
  const hanging: FaultLease[] = [];
  // One after the other: each starts a process, and has its limit.
  for (const n of units.keys()) hanging.push(await inject('process.kill', `unit-${n}`));
  const other = await inject('toxiproxy.latency', 'proxy-1', { latencyMs: 200 });
  for (const file of units) {
    await rm(file);
    // Whoever opens it to read waits until somebody writes, as with a server of files that is gone.
    execFileSync('mkfifo', [file]);
  }
  cleanUp.add(answer);
  await abort(hanging);
  for (const { id } of hanging)
    await until(() => journal.isMarked(id, 'ending'), { what: 'their end to begin' });
  await abort([other]);
  await until(async () => (await journal.find(other.id)) === undefined, {
    what: 'the other fault to be gone',
    limitMs: 60_000,
  });
  expect(await findFault(stage, other)).toBeUndefined();
  // They are still there, and say so.
  for (const { id } of hanging) {
    await until(async () => (await journal.failure(id)) !== undefined, { limitMs: 60_000 });
    expect((await journal.failure(id))?.message).toContain('come to an end');
    expect(await journal.find(id)).toBeDefined();
  }
  // A guard that is stopped ends all the same.
  const guard = await readGuard(journal.directory, 'b');
  if (guard === undefined) throw new Error('there is no guard b');
  process.kill(guard.pid, 'SIGTERM');
  await until(async () => !(await isAlive(guard)), { what: 'the guard to end', limitMs: 120_000 });
  await answer();
  for (const { id } of hanging)
    await until(async () => !(await journal.isOpen(id)), { what: 'the faults that hung to be gone' });
}, 600_000);

test('invariant 8: a lease that cannot be read keeps no other one from being aborted from elsewhere', async () => {
  const { journal } = stage.host;
  const damaged = await inject('postgres.read-only', 'database');
  const other = await inject('toxiproxy.latency', 'proxy-1', { latencyMs: 200 });
  const file = join(journal.directory, 'leases', damaged.id, 'lease.json');
  const text = await readFile(file, 'utf8');
  await writeFile(file, '{');
  await abort([damaged, other]);
  await until(
    async () => (await findFault(stage, other)) === undefined && !(await journal.isOpen(other.id)),
    {
      what: 'the other fault to be gone',
    },
  );
  expect(await journal.isOpen(damaged.id)).toBe(true);
  await writeFile(file, text);
  await until(async () => !(await journal.isOpen(damaged.id)), {
    what: 'the end of the one that was damaged',
  });
  expect(await findFault(stage, damaged)).toBeUndefined();
}, 300_000);
