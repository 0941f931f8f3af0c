import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { exportLogs, recordAuditEvent, verifyExport } from '../../core/audit';
import { generateSigningKey } from '../../core/audit/note';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';

const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });

let postgres: RealPostgres;
let platform: Pool;
let root: string;
let count = 0;
let place: string;

beforeAll(async () => {
  root = await throwawayDirectory('write-once');
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  if (root !== undefined) await removeDirectory(root);
});
beforeEach(async () => {
  platform = await postgres.createDatabase(`write_once_${++count}`);
  await applyMigrations(platform, 'platform');
  place = join(root, String(count));
  await seal('acme', 300);
  await seal('beta', 10);
});

let events = 0;
async function seal(tenant: string, more: number): Promise<void> {
  await platform.query(
    `insert into chronawflow.audit_event (id, actor, action, tenant, outcome)
     select 'e' || n, 'ada', 'test', $1, 'ok' from generate_series($2::int, $3::int) n`,
    [tenant, events, events + more - 1],
  );
  events += more;
  await sealBatch(platform, signer);
}

const add = (options = {}) => exportLogs(platform, key, place, { writeOnce: true, ...options });
const problems = async (options = {}) =>
  (await verifyExport(place, key, options)).violations.map(({ problem }) => problem);

/** Every file below the place by its path, but for what a cut export has left in `.incoming`. */
async function files(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.includes('.incoming')) found.set(path, await readFile(path, 'hex'));
  }
  return found;
}

test('each export adds what is new, and what is there stays as it is, read-only', async () => {
  const { added } = await add();
  const first = await files();
  expect(added).toBe(first.size);
  for (const path of first.keys()) expect((await stat(path)).mode & 0o222).toBe(0);
  expect(await verifyExport(place, key)).toMatchObject({ violations: [], entries: 310, logs: 3 });

  expect(await add()).toMatchObject({ added: 0, entries: 310 });
  await seal('acme', 300);
  await add();
  const second = await files();
  for (const [path, bytes] of first) expect(second.get(path)).toBe(bytes);
  expect(second.size).toBeGreaterThan(first.size);
  expect(await verifyExport(place, key)).toMatchObject({ violations: [], entries: 610, logs: 3 });
  expect(await readdir(join(place, 'platform', 'checkpoint'))).toHaveLength(2);
  expect(await readdir(join(place, '.incoming'))).toEqual([]);
});

test('an export that was cut short passes for none, and the next one goes on with it', async () => {
  await add();
  const before = await files();
  await seal('acme', 600);
  await seal('beta', 10);
  const cut = add({
    progress: ({ log }: { readonly log: string }) => {
      // Of beta everything is there by then, of the others not.
      if (log === 'acme') throw new RangeError('the power went');
    },
  });
  await expect(cut).rejects.toThrow('the power went');
  expect((await files()).size).toBeGreaterThan(before.size);
  // What was there before is what verifies.
  expect(await verifyExport(place, key)).toMatchObject({ violations: [], entries: 310 });
  await add();
  expect(await verifyExport(place, key)).toMatchObject({ violations: [], entries: 920 });
});

test('a file that was changed is never written over: the export refuses, and verify finds it', async () => {
  await add();
  const tile = [...(await files()).keys()].find((path) => path.endsWith('tile/entries/000')) ?? '';
  const bytes = await readFile(tile);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  await chmod(tile, 0o644);
  await writeFile(tile, bytes);
  await expect(add()).rejects.toMatchObject({ code: 'EXPORT_CONFLICT', details: { path: tile } });
  expect(await readFile(tile)).toEqual(bytes);
  expect((await problems()).join('\n')).toMatch(/not what the hash in tile 0 was made of|are not those/);
});

test.each([
  { what: 'written anew', events: 600, says: /signs 2 entries that are not the log's first ones/ },
  { what: 'set back', events: 0, says: /signs 2 entries, and the log has 1/ },
])('a log that was $what cannot be added to the place of the one before', async ({ events: more, says }) => {
  await add();
  const before = await files();
  await platform.query('drop schema chronawflow cascade');
  await applyMigrations(platform, 'platform');
  await recordAuditEvent(platform, { id: 'a', actor: 'eve', action: 'test', tenant: 'acme', outcome: 'ok' });
  await sealBatch(platform, signer);
  // Of another size, so that no file of it would have the name of one that is there.
  for (let i = 0; i < more; i += 200) await seal('acme', 200);
  await expect(add()).rejects.toMatchObject({
    code: 'EXPORT_CONFLICT',
    message: expect.stringMatching(says),
  });
  expect(await files()).toEqual(before);
  expect(await problems()).toEqual([]);
});

test('one tenant’s export beside one of all', async () => {
  await add();
  await seal('beta', 5);
  await add({ tenant: 'beta' });
  // The newest export has beta and the platform alone.
  expect(await verifyExport(place, key)).toMatchObject({ violations: [], entries: 15, logs: 2 });
});

test('what cannot be made immutable is said to be read-only alone', async () => {
  const { notImmutable } = await add({ immutable: true });
  const [path = ''] = (await files()).keys();
  // Where it is possible, only taking the attribute away lets anybody remove what was added.
  if (notImmutable === undefined) {
    await expect(writeFile(path, 'x')).rejects.toMatchObject({ code: 'EPERM' });
    const { execFileSync } = await import('node:child_process');
    execFileSync('chattr', ['-R', '-i', place]);
  } else expect(notImmutable).not.toBe('');
  expect(await problems()).toEqual([]);
});
