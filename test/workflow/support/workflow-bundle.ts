import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const ROOT = join(__dirname, '..', '..', '..');
/** Code that workflows may import, and what decides about the SDK's part of the bundle. */
const INPUTS = ['workflows', 'core', 'activities'];

/** What makes a bundle one for encrypted payloads; as scripts/build/workflow-bundle.mjs makes it. */
const ENCRYPTED = {
  failureConverterPath: join(ROOT, 'workflows', 'failure-converter.ts'),
  workflowInterceptorModules: [join(ROOT, 'workflows', 'plain-input.ts')],
};

/** The workflows, bundled once for all test files and runs until their code changes. */
export async function workflowBundle({ encrypted = false } = {}): Promise<{ readonly codePath: string }> {
  const directory = join(ROOT, 'node_modules', '.cache', 'chronawflow');
  const codePath = join(directory, `workflows-${encrypted ? 'encrypted-' : ''}${fingerprint()}.js`);
  if (!existsSync(codePath)) {
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(ROOT, 'workflows'),
      ...(encrypted ? ENCRYPTED : {}),
      logger: new DefaultLogger('WARN'),
    });
    mkdirSync(directory, { recursive: true });
    // Two test files may bundle at once: each sees a whole file.
    const unfinished = `${codePath}.${process.pid}`;
    writeFileSync(unfinished, code);
    renameSync(unfinished, codePath);
  }
  return { codePath };
}

function fingerprint(): string {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package-lock.json')));
  for (const folder of INPUTS) {
    const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names
      .filter((n) => /(^|\/)(types|contract|[^/]*\.pure)\.ts$/.test(n) || folder === 'workflows')
      .sort()) {
      if (name.endsWith('.ts')) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
    }
  }
  return hash.digest('hex').slice(0, 16);
}
