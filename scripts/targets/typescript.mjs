import { join } from 'node:path';
import { runInForeground } from '../bootstrap/command.mjs';

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

/** Builds dist/ quietly unless something is wrong with it. Resolves with true when it is sound. */
export async function build(root) {
  return (await runInForeground(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root })) === 0;
}
