import { join } from 'node:path';
import { BootstrapFailure } from '../bootstrap/bootstrap-failure.mjs';
import { runInForeground } from '../bootstrap/command.mjs';
import { Steps } from '../bootstrap/steps.mjs';

/** Runs one of the repository's TypeScript programs, which are not part of dist/. Resolves with its exit code. */
export function runTypeScript(root, file, args, env) {
  return runInForeground(
    process.execPath,
    ['-r', join(root, 'scripts', 'register.cjs'), join(root, file), ...args],
    {
      env,
      cwd: root,
    },
  );
}

/** Builds dist/. Resolves with true when it is sound; what is wrong with it was printed. */
export function build(root) {
  const script = join(root, 'scripts', 'build.mjs');
  return runInForeground(process.execPath, [script], { cwd: root }).then((code) => code === 0);
}

/** Shows `work` as a step of its own; resolves with whether it resolved with true. */
export async function passes(name, work) {
  try {
    await new Steps([name]).run(name, async () => {
      if (!(await work())) throw new BootstrapFailure('failed, see above');
      return { summary: 'passed' };
    });
    return true;
  } catch (error) {
    if (error instanceof BootstrapFailure) return false;
    throw error;
  }
}
