/**
 * In CI the examples of every property follow from the commit: a second run of a commit tries what the first one tried, so
 * that its answer is about the commit, and the next commit tries others. Everywhere else, and without git, each run tries
 * new ones. A failure prints its seed in any case.
 */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';

if (process.env.CI === 'true') {
  const commit = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: __dirname, encoding: 'utf8' }).stdout;
  const seed = Number.parseInt(commit?.slice(0, 8) ?? '', 16);
  if (Number.isInteger(seed)) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: seed | 0 });
}
