import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The package's own directory, from the sources as well as from dist/: the nearest parent with a package.json. */
export function packageRoot(from: string = __dirname): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new RangeError(`no package.json above ${__dirname}`);
  return packageRoot(parent);
}
