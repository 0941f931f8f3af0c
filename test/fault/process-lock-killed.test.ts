import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { withProcessLock } from '../../core/cluster';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

const root = join(__dirname, '..', '..');
const KILLS = Number(process.env.CHRONAWFLOW_LOCK_KILLS ?? 12);

let directory: string;
const contenders = new Set<ChildProcess>();
beforeAll(async () => {
  directory = await throwawayDirectory('lock');
});
afterAll(async () => {
  await Promise.all([...contenders].map(end));
  await removeDirectory(directory);
});

async function end(child: ChildProcess): Promise<void> {
  contenders.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('cluster invariant 6: one at a time is inside, and one that is killed inside keeps nobody out', async () => {
  const said: string[] = [];
  const contender = () => {
    const script = join(root, 'test', 'support', 'lock-contender.ts');
    const child = spawn(
      process.execPath,
      [
        '-r',
        join(root, 'scripts', 'register.cjs'),
        script,
        join(directory, 'lock'),
        join(directory, 'inside'),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: root },
    );
    contenders.add(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')));
    return child;
  };
  const times = (wanted: number) =>
    until(() => said.filter((line) => line === 'in').length >= wanted, {
      what: `${wanted} turns`,
      limitMs: 120_000,
    });
  let running = [contender(), contender(), contender()];
  for (let kill = 0; kill < KILLS; kill += 1) {
    await times(said.length + 10);
    const [oldest, ...others] = running;
    if (oldest !== undefined) await end(oldest);
    running = [...others, contender()];
  }
  await times(said.length + 10);
  expect(said.filter((line) => line !== 'in')).toEqual([]);
  await Promise.all(running.map(end));
  // What those left who were killed on their way is cleared away by the next one.
  await withProcessLock(join(directory, 'lock'), async () => undefined);
  expect(readdirSync(join(directory, 'lock'))).toEqual([expect.stringMatching(/^\d+\.free$/)]);
}, 300_000);
