import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runProgram } from '../../core/cluster';
import { packageRoot } from '../../core/local-stack';
import { ensureBuilt } from '../support/restore-stage-worker';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';

/**
 * The catalogue on a real local stack. In CI a few of it, one of each kind of way to end a fault; `CHRONAWFLOW_CHAOS_SUITE=all`
 * runs every experiment, which takes about a quarter of an hour.
 */
const CATALOGUE = join(packageRoot(), 'examples', 'experiments');
const FEW = ['calls-fail.yaml', 'sealer-killed.yaml', 'application-unreachable.yaml'];
const all = process.env.CHRONAWFLOW_CHAOS_SUITE === 'all';
const cli = join(packageRoot(), 'dist', 'client', 'cli', 'main.js');

let directory: string;
beforeAll(async () => {
  await ensureBuilt();
  directory = await throwawayDirectory('chaos-suite');
}, 240_000);
afterAll(async () => {
  if (existsSync(join(directory, 'stack', 'stack.json')))
    await run('down', '--directory', join(directory, 'stack'), '--delete', '--yes');
  await removeDirectory(directory);
}, 240_000);

const run = (...args: string[]) =>
  runProgram(process.execPath, [cli, ...args], {
    env: { NO_COLOR: '1', CHRONAWFLOW_CONFIG: join(directory, 'stack', 'chronawflow.yaml') },
    timeoutMs: all ? 3_600_000 : 840_000,
  });

const result = z.object({
  entries: z.array(
    z.object({ file: z.string(), verdict: z.string(), residual: z.number(), message: z.string().optional() }),
  ),
  score: z.object({ score: z.number(), coverage: z.number() }),
});

/** What this machine cannot give is refused with its reason, which is printed; everything else has to pass. */
const IMPOSSIBLE = /kernel has no netem|not in chaos\.targets|stress-ng is not installed/;

test(
  `the platform's promises hold under ${all ? 'every experiment' : 'a few experiments'} of the catalogue`,
  async () => {
    const chosen = join(directory, 'experiments');
    mkdirSync(chosen);
    for (const file of all ? readdirSync(CATALOGUE).filter((name) => name.endsWith('.yaml')) : FEW)
      copyFileSync(join(CATALOGUE, file), join(chosen, file));
    await run('up', '--chaos', '--detach', '--directory', join(directory, 'stack'));
    const reports = join(directory, 'reports');
    const suite = () => run('chaos', 'suite', '--directory', chosen, '--out', reports, '--json');
    const { stdout, stderr } = await suite();
    const { entries, score } = result.parse(JSON.parse(stdout));
    if (all) console.log(stderr);
    for (const { file, message = '' } of entries.filter(({ verdict }) => verdict === 'refused')) {
      console.log(`${file} is impossible here: ${message}`);
      expect(message).toMatch(IMPOSSIBLE);
    }
    expect(entries.filter(({ verdict }) => verdict !== 'passed' && verdict !== 'refused')).toEqual([]);
    expect(entries.every(({ residual }) => residual === 0)).toBe(true);
    expect(score.score).toBe(100);
    if (!all) expect(entries.map(({ verdict }) => verdict)).toEqual(['passed', 'passed', 'passed']);
    const junit = readFileSync(join(reports, 'junit.xml'), 'utf8');
    expect(junit).toContain(`tests="${entries.length}" failures="0" errors="0"`);
    const page = readFileSync(join(reports, 'report.html'), 'utf8');
    expect(page).toContain('<svg');
    expect(readFileSync(join(reports, 'history.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
    expect(
      execFileSync(process.execPath, [cli, 'chaos', 'abort', '--all', '--json'], {
        env: { ...process.env, CHRONAWFLOW_CONFIG: join(directory, 'stack', 'chronawflow.yaml') },
        encoding: 'utf8',
      }),
    ).toContain('"ended":[]');
  },
  all ? 3_900_000 : 900_000,
);
