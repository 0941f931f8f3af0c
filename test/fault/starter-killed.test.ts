import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { detachedStatus, startDetached, stopDetached } from '../../core/cluster';
import { guardAgainstOrphans } from '../support/orphan-guard';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

const root = join(__dirname, '..', '..');
const KILLS = Number(process.env.CHRONAWFLOW_STARTER_KILLS ?? 15);
/** A start takes some 10 ms. */
const LATEST_KILL_MS = 40;

let directory: string;
let callOff: () => Promise<void>;
beforeAll(async () => {
  directory = await throwawayDirectory('starter');
  callOff = guardAgainstOrphans(directory);
});
afterAll(async () => {
  await callOff();
  await removeDirectory(directory);
});

/** Of the processes that have this among their arguments and are no starters: the program, or what is about to become it. */
async function processesWith(argument: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      return args.includes(argument) && !args.some((one) => one.endsWith('starter.ts')) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

test('cluster invariant 6: what a starter has begun that is killed is known, and is not started again', async () => {
  let known = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const recordFile = join(directory, `${kill}`, 'process.json');
    const logFile = join(directory, 'log');
    const seconds = `300.${process.pid}${kill}`;
    const starter = spawn(
      process.execPath,
      [
        '-r',
        join(root, 'scripts', 'register.cjs'),
        join(root, 'test', 'support', 'starter.ts'),
        ...[recordFile, logFile, seconds],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: root },
    );
    const ended = once(starter, 'exit');
    await once(starter.stdout, 'data');
    // Now and then just after it is written down, which on a slow machine nobody would hit by chance.
    if (kill % 3 === 2) await until(async () => (await detachedStatus(recordFile)).kind === 'running');
    else await sleep(Math.random() * LATEST_KILL_MS);
    starter.kill('SIGKILL');
    await ended;
    const settled = async () => {
      const status = await detachedStatus(recordFile);
      const there = await processesWith(seconds);
      return there.join() === (status.kind === 'running' ? String(status.pid) : '');
    };
    await until(settled, { what: 'the record to tell of what runs' });
    const before = await detachedStatus(recordFile);
    if (before.kind === 'running') known += 1;
    const after = await startDetached({ file: '/bin/sleep', args: [seconds], recordFile, logFile });
    if (before.kind === 'running') expect(after).toEqual(before);
    expect(await processesWith(seconds)).toHaveLength(1);
    await stopDetached(recordFile);
    expect(await processesWith(seconds)).toEqual([]);
  }
  expect(known).toBeGreaterThanOrEqual(Math.floor(KILLS / 3));
}, 300_000);
