import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultInNode, root } from './in-node';

interface LockEntry {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const linux = { os: 'linux', cpu: 'x64', libc: 'glibc' };

async function matches(wanted: object, installed: object, platform: object = linux): Promise<unknown> {
  const [left, right] = [{ packages: wanted }, { packages: installed }].map((lock) => JSON.stringify(lock));
  return resultInNode(`
    import { matches } from 'bootstrap/packages.mjs';
    console.log(matches(${left}, ${right}, ${JSON.stringify(platform)}));
  `);
}

describe('the lock file', () => {
  const lock: { packages: Record<string, LockEntry> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );

  test('holds the optional packages of every platform, without which `npm ci` fails on the others', () => {
    const locked = new Set(
      Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
    );
    const wanted = Object.values(lock.packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  test('names no registry', () => {
    expect(Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });
});

describe('node_modules is current', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  test('when everything is installed in the locked version', async () => {
    expect(await matches({ '': {}, 'node_modules/a': a }, { 'node_modules/a': a })).toBe(true);
  });

  test('not when a package is missing or has another version or content', async () => {
    expect(await matches({ 'node_modules/a': a }, {})).toBe(false);
    expect(await matches({ 'node_modules/a': a }, { 'node_modules/a': { ...a, version: '1.0.1' } })).toBe(
      false,
    );
    expect(await matches({ 'node_modules/a': a }, { 'node_modules/a': { ...a, integrity: 'x' } })).toBe(
      false,
    );
  });

  test('without the optional packages of other platforms, but not without those of this one', async () => {
    const mac = { 'node_modules/a-mac': { ...a, optional: true, os: ['darwin'] } };
    const musl = { 'node_modules/a-musl': { ...a, optional: true, os: ['linux'], libc: ['musl'] } };
    const notWindows = { 'node_modules/a-unix': { ...a, optional: true, os: ['!win32'] } };
    expect(await matches({ ...mac, ...musl }, {})).toBe(true);
    expect(await matches(mac, {}, { os: 'darwin', cpu: 'arm64' })).toBe(false);
    expect(await matches(musl, {}, { ...linux, libc: 'musl' })).toBe(false);
    expect(await matches(notWindows, {})).toBe(false);
  });
});
