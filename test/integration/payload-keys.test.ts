import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { checkPayloads } from '../../core/doctor/check-payloads';
import {
  createKeyStore,
  createPayloadCodec,
  listKeys,
  type Payload,
  retireKeys,
  sealedWith,
} from '../../core/payload-codec';
import { applyMigrations } from '../../database';
import { CleanUp } from '../support/clean-up';
import { makeKeyFile, payloadsConfig } from '../support/payload-keys';
import { startPostgres } from '../support/real-postgres';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

const cleanUp = new CleanUp();
let platform: Pool;
let directory: string;
let first: { id: string; file: string };

beforeAll(async () => {
  const postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
  directory = await throwawayDirectory('payload-keys');
  cleanUp.add(() => removeDirectory(directory));
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  first = await makeKeyFile(directory, 'first');
});
afterAll(() => cleanUp.run());

const codec = (raw: object = {}) =>
  createPayloadCodec(payloadsConfig({ keyEncryptionKeys: [first], ...raw }), platform, {
    namespace: 'default',
    side: 'worker',
  });
const of = (tenant: string) => ({ type: 'workflow' as const, workflowId: `job/${tenant}/x/1` });
const secret: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"secret"') };
const data = (payloads: Payload[]) => payloads.map((one) => Buffer.from(one.data ?? []).toString());

test('twenty processes that need a tenant’s first key at once get one and the same', async () => {
  const sealed = await Promise.all(Array.from({ length: 20 }, () => codec().encode([secret], of('crowd'))));
  expect(new Set(sealed.flat().map((one) => sealedWith(one).keyId)).size).toBe(1);
  expect(data(await codec().decode(sealed.flat(), of('crowd')))).toEqual(Array(20).fill('"secret"'));
});

test('no key and no key-encryption key stands in the database in the clear', async () => {
  await codec().encode([secret], of('clear'));
  const { rows } = await platform.query<{ wrapped: Buffer }>('select wrapped from chronawflow.payload_key');
  expect(rows.length).toBeGreaterThan(0);
  // Nonce, key, tag.
  for (const { wrapped } of rows) expect(wrapped).toHaveLength(12 + 32 + 16);
});

test('invariant 5: a key that is old enough is followed by another one, and still decrypts', async () => {
  const quick = codec({ rotateAfter: '1s', keyCache: '100ms' });
  const [old] = await quick.encode([secret], of('ageing'));
  if (old === undefined) throw new Error('nothing encoded');
  let next = old;
  await until(async () => {
    [next = old] = await quick.encode([secret], of('ageing'));
    return sealedWith(next).keyId !== sealedWith(old).keyId;
  });
  expect(data(await codec().decode([old, next], of('ageing')))).toEqual(['"secret"', '"secret"']);
});

test('a tenant’s key is rotated by hand, other tenants’ are not', async () => {
  const [before, other] = [
    await codec().encode([secret], of('rotated')),
    await codec().encode([secret], of('still')),
  ];
  await retireKeys(platform, 'rotated', { by: 'grace', reason: 'a laptop was lost' });
  const [after, still] = [
    await codec().encode([secret], of('rotated')),
    await codec().encode([secret], of('still')),
  ];
  const ids = (payloads: Payload[]) => payloads.map((one) => sealedWith(one).keyId);
  expect(ids(after)).not.toEqual(ids(before));
  expect(ids(still)).toEqual(ids(other));
  expect(data(await codec().decode([...before, ...after], of('rotated')))).toEqual(['"secret"', '"secret"']);
  await expect(retireKeys(platform, 'nobody', { by: 'grace', reason: 'x' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
});

test('a key-encryption key is given up after everything was wrapped by another one', async () => {
  const [sealed] = await codec().encode([secret], of('wrapped'));
  if (sealed === undefined) throw new Error('nothing encoded');
  const second = await makeKeyFile(directory, 'second');
  const both = { keyEncryptionKeys: [second, first] };
  expect(await createKeyStore(payloadsConfig(both), platform).rewrap()).toBeGreaterThan(0);
  const alone = { keyEncryptionKeys: [second] };
  expect(data(await codec(alone).decode([sealed], of('wrapped')))).toEqual(['"secret"']);
  await expect(codec().decode([sealed], of('wrapped'))).rejects.toMatchObject({
    code: 'KEY_ENCRYPTION_KEY_INVALID',
    message: expect.stringContaining('second'),
  });
  expect((await listKeys(platform, 'wrapped'))[0]).toMatchObject({
    state: 'active',
    keys: 1,
    wrappedBy: ['second'],
  });
  // Back, for the other tests.
  await createKeyStore(payloadsConfig({ keyEncryptionKeys: [first, second] }), platform).rewrap();
});

test('a wrapped key put in another one’s place does not unwrap', async () => {
  const [[mine], [theirs]] = [
    await codec().encode([secret], of('mine')),
    await codec().encode([secret], of('theirs')),
  ];
  if (mine === undefined || theirs === undefined) throw new Error('nothing encoded');
  await platform.query(
    `update chronawflow.payload_key set wrapped = (select wrapped from chronawflow.payload_key where id = $2) where id = $1`,
    [sealedWith(mine).keyId, sealedWith(theirs).keyId],
  );
  await expect(codec().decode([mine], of('mine'))).rejects.toMatchObject({
    code: 'KEY_ENCRYPTION_KEY_INVALID',
  });
});

describe('a command as key-encryption key', () => {
  /** Wraps by turning the bytes around and putting the bound text's length before them: enough to see what is handed over. */
  const script = (wrapped: string) => `#!/usr/bin/env node
let input = '';
process.stdin.on('data', (chunk) => { input += chunk; }).on('end', () => {
  const [verb, id, bound] = process.argv.slice(-3);
  if (id !== 'kms' || !bound.includes('"')) process.exit(3);
  const bytes = Buffer.from(input, 'base64').reverse();
  ${wrapped}
  process.stdout.write(bytes.toString('base64'));
});
`;
  const program = async (name: string, wrapped = '') => {
    const file = join(directory, name);
    await writeFile(file, script(wrapped));
    await chmod(file, 0o755);
    return { keyEncryptionKeys: [{ id: 'kms', command: [file, '--region', 'nowhere'] }] };
  };

  test('wraps and unwraps', async () => {
    const kms = await program('kms');
    const sealed = await codec(kms).encode([secret], of('kms'));
    expect(data(await codec(kms).decode(sealed, of('kms')))).toEqual(['"secret"']);
  });

  test.each([
    ['one that fails', 'process.stderr.write(input); process.exit(4);', 'failed (4)'],
    ['one whose answer is too short', "process.stdout.write('AAAA'); process.exit(0);", 'instead of 32'],
  ])('%s is named without what it was given', async (_, wrong, message) => {
    const broken = await program('broken-kms', wrong);
    const error = await codec(broken)
      .decode(await codec(await program('kms')).encode([secret], of('kms')), of('kms'))
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'KEY_ENCRYPTION_KEY_INVALID',
      message: expect.stringContaining(message),
    });
  });

  test('one that is not there is named', async () => {
    const away = { keyEncryptionKeys: [{ id: 'kms', command: [join(directory, 'away')] }] };
    await expect(codec(away).encode([secret], of('away'))).rejects.toMatchObject({
      code: 'KEY_ENCRYPTION_KEY_INVALID',
    });
  });
});

test.each([
  ['too short', 'c2hvcnQ=', 'instead of 32'],
  ['not there', undefined, 'cannot be read'],
])('a key file that is %s is named, and its content is not', async (_, content, message) => {
  const file = join(directory, `bad-${message.length}`);
  if (content !== undefined) await writeFile(file, content);
  const error = await codec({ keyEncryptionKeys: [{ id: 'bad', file }] })
    .encode([secret], of('bad'))
    .catch((caught: unknown) => caught);
  expect(error).toMatchObject({
    code: 'KEY_ENCRYPTION_KEY_INVALID',
    message: expect.stringContaining(message),
  });
  expect(JSON.stringify(error)).not.toContain('c2hvcnQ');
});

describe('doctor', () => {
  const look = (raw?: object) =>
    checkPayloads(raw === undefined ? undefined : payloadsConfig(raw), platform).look();

  test('says that encryption is off', async () => {
    expect(await look()).toMatchObject([{ state: 'warning', detail: expect.stringContaining('off') }]);
  });

  test('says that it is on, and that plain payloads are still taken', async () => {
    const kms = { id: 'kms', command: [join(directory, 'kms')] as [string] };
    const keyEncryptionKeys = [first, kms];
    expect(await look({ keyEncryptionKeys })).toMatchObject([{ state: 'ok' }]);
    const plainUntil = new Date(Date.now() + 3_600_000).toISOString();
    expect(await look({ keyEncryptionKeys, plainUntil })).toMatchObject([
      { state: 'warning', detail: expect.stringContaining(plainUntil) },
    ]);
  });

  test('names a key-encryption key that is needed and not configured', async () => {
    const other = await makeKeyFile(directory, 'other');
    expect(await look({ keyEncryptionKeys: [other] })).toMatchObject([
      { state: 'broken', detail: expect.stringContaining('first') },
    ]);
  });

  test('warns of a key file that everybody can read', async () => {
    await chmod(first.file, 0o644);
    const keyEncryptionKeys = [first, { id: 'kms', command: [join(directory, 'kms')] as [string] }];
    expect(await look({ keyEncryptionKeys })).toContainEqual(
      expect.objectContaining({ state: 'warning', detail: expect.stringContaining(first.file) }),
    );
  });
});
