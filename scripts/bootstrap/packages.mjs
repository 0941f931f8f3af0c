import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.mjs';
import { exclusively } from './exclusive.mjs';

/**
 * Brings node_modules in line with package-lock.json. npm writes node_modules/.package-lock.json as the last act of
 * an installation, so comparing the two tells whether one is complete and current; a half-finished one has no such file.
 */
export async function preparePackages({ root, note, signal, env }) {
  if (await isCurrent(root)) return { summary: 'node_modules matches the lock file' };
  return exclusively(join(root, '.chronawflow', 'npm-ci.lock'), { note, signal }, async () => {
    if (await isCurrent(root)) return { summary: 'node_modules matches the lock file' };
    note('npm ci');
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, signal, env });
    return { summary: 'npm ci done' };
  });
}

async function isCurrent(root) {
  const installed = await readLock(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return false;
  const wanted = await readLock(join(root, 'package-lock.json'));
  return wanted !== undefined && matches(wanted, installed, thisPlatform());
}

async function readLock(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether everything that the lock file asks for on this platform is installed in that very version. Optional packages
 * for other platforms are rightly absent, and so are the helpers that only those need (optional, for any platform).
 */
export function matches(wanted, installed, platform) {
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed.packages[path];
    if (found !== undefined) return found.version === entry.version && found.integrity === entry.integrity;
    const optional = entry.optional === true || entry.devOptional === true;
    return optional && (!isPlatformBound(entry) || !isFor(entry, platform));
  });
}

function isPlatformBound(entry) {
  return [entry.os, entry.cpu, entry.libc].some((list) => list !== undefined);
}

function isFor(entry, { os, cpu, libc }) {
  return allows(entry.os, os) && allows(entry.cpu, cpu) && (libc === undefined || allows(entry.libc, libc));
}

/** npm's lists name what is allowed, or with `!` what is not. */
function allows(list, value) {
  if (list === undefined) return true;
  if (list.includes(`!${value}`)) return false;
  const positive = list.filter((one) => !one.startsWith('!'));
  return positive.length === 0 || positive.includes(value) || positive.includes('any');
}

function thisPlatform() {
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  return {
    os: process.platform,
    cpu: process.arch,
    libc: process.platform === 'linux' ? (glibc === undefined ? 'musl' : 'glibc') : undefined,
  };
}
