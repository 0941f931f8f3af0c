import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether a file is there and may be executed. */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(error.code)) return false;
    throw error;
  }
}

/** The first file of that name on PATH that may be executed, links resolved. */
export function findOnPath(name, env = process.env) {
  const found = (env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .find(isProgram);
  return found === undefined ? undefined : realpathSync(found);
}

/** The names in a directory; none when there is no such directory, or none that may be read. */
export function listDirectory(path) {
  try {
    return readdirSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code)) return [];
    throw error;
  }
}

/** Go's own installer does not put it on PATH. */
export function findGo(env) {
  return findOnPath('go', env) ?? ['/usr/local/go/bin/go'].find(isProgram);
}
