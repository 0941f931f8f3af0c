import { join } from 'node:path';
import { BootstrapFailure } from '../bootstrap/bootstrap-failure.mjs';
import { listDirectory } from '../bootstrap/programs.mjs';
import { build, passes, runTypeScript } from './typescript.mjs';

/** `npm run bench -- NAME [arguments]` runs bench/NAME.ts. */
export async function runBench({ root, args: [name, ...args], prepare }) {
  const names = listDirectory(join(root, 'bench')).flatMap((file) => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
  if (!names.includes(name)) {
    throw new BootstrapFailure(name === undefined ? 'Which benchmark?' : `There is no benchmark "${name}"`, {
      hint: `npm run bench -- ${names.join('|')} [--quick]`,
    });
  }
  const env = await prepare();
  if (!(await passes('build', () => build(root)))) throw new BootstrapFailure('The build failed; see above.');
  return runTypeScript(root, `bench/${name}.ts`, args, env);
}
