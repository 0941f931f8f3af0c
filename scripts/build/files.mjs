import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';

/** Folders that tsconfig.build.json compiles, and what in them is read at run time besides code. */
const FOLDERS = ['client', 'workflows', 'activities', 'core', 'workers', 'database', 'config', 'examples'];
const ASSETS = new Set(['.sql', '.yaml']);

/** Made from what was compiled, in dist/workflows: for plain payloads, and for encrypted ones. */
export const BUNDLES = ['bundle.js', 'bundle-encrypted.js'];

/** Copies migrations and the like to where the compiled code looks for them: beside itself. */
export function copyAssets(root, dist) {
  for (const folder of FOLDERS) {
    for (const source of filesBelow(join(root, folder))) {
      if (!ASSETS.has(extname(source))) continue;
      const target = join(dist, relative(root, source));
      if (existsSync(target) && readFileSync(target).equals(readFileSync(source))) continue;
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(source, target);
    }
  }
}

/** Removes what came from a source that is gone: a left-over module would still be packed, imported and bundled. */
export function removeStale(root, dist) {
  for (const folder of FOLDERS) {
    for (const output of filesBelow(join(dist, folder))) {
      const source = sourceOf(relative(dist, output));
      if (source !== undefined && !existsSync(join(root, source))) rmSync(output);
    }
  }
}

/**
 * Whether the compiler has to begin anew: it does not look whether what it once wrote is still there, which a source
 * that was away for a moment, as while branches change, takes with it (removeStale).
 */
export function lacksOutput(root, dist) {
  return FOLDERS.flatMap((folder) => filesBelow(join(root, folder)))
    .filter((source) => /(?<!\.d|\.test)\.ts$/.test(source))
    .some((source) => !existsSync(join(dist, `${relative(root, source).slice(0, -3)}.js`)));
}

/** The source of a file in dist/, both relative; undefined for what the build itself makes, such as the bundle. */
export function sourceOf(output) {
  if (BUNDLES.some((name) => output === join('workflows', name))) return undefined;
  if (ASSETS.has(extname(output))) return output;
  const match = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(output);
  return match === null ? undefined : `${match[1]}.ts`;
}

export function filesBelow(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
