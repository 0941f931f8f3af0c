import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BUNDLES, filesBelow } from './files.mjs';

/** Code that workflows may import; see the import rules in biome.json. */
const INPUT_FOLDERS = ['workflows', 'core', 'activities'];

/**
 * Bundles the workflows once, so that a worker starts without webpack and every worker runs the same code.
 * Nothing happens while the inputs are those of the last bundle, or while there are no workflows.
 */
export async function bundleWorkflows(root, dist) {
  const entry = join(dist, 'workflows', 'index.js');
  const targets = BUNDLES.map((name) => join(dist, 'workflows', name));
  const [plain, encrypted] = targets;
  const stamp = join(dist, '.bundle-inputs');
  if (!existsSync(entry)) {
    for (const file of [...targets, stamp]) rmSync(file, { force: true });
    return;
  }
  const inputs = fingerprint(root, dist, targets);
  if (targets.every(existsSync) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;

  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const logger = new DefaultLogger('WARN');
  const bundle = async (target, options) => {
    const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger, ...options });
    // A worker that starts at this very moment finds the old bundle or the new one, never a half.
    writeFileSync(`${target}.new`, code);
    renameSync(`${target}.new`, target);
  };
  await bundle(plain, {});
  // A failure converter is part of the bundle and cannot be told there whether payloads are encrypted.
  await bundle(encrypted, {
    failureConverterPath: join(dist, 'workflows', 'failure-converter.js'),
    workflowInterceptorModules: [join(dist, 'workflows', 'plain-input.js')],
  });
  writeFileSync(stamp, inputs);
}

/** The lock file stands for the SDK's own code, which is most of the bundle. */
function fingerprint(root, dist, targets) {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const file of INPUT_FOLDERS.flatMap((folder) => filesBelow(join(dist, folder)))) {
    if (!file.endsWith('.js') || targets.includes(file)) continue;
    hash.update(`${relative(dist, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}
