import { BootstrapFailure } from '../bootstrap/bootstrap-failure.mjs';
import { build, passes, runTypeScript } from './typescript.mjs';

/** `npm run demo -- [arguments]` */
export async function runDemo({ root, args, prepare }) {
  const env = await prepare();
  if (!(await passes('build', () => build(root)))) throw new BootstrapFailure('The build failed; see above.');
  return runTypeScript(root, 'scripts/demo.ts', args, env);
}
