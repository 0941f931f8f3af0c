import fc from 'fast-check';
import type { Pool } from 'pg';
import { recordAuditEvent } from '../../core/audit';
import { formatNote, generateSigningKey, parseNote, signNote } from '../../core/audit/note';
import { formatReceipt, proveEvent, type Receipt, verifyReceipt } from '../../core/audit/receipt';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });
const witness = generateSigningKey('witness.example', 'cosignature-ed25519');

let postgres: RealPostgres;
let platform: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  platform = await postgres.createDatabase('platform');
  await applyMigrations(platform, 'platform');
  for (let i = 0; i < 300; i += 1) {
    const tenant = ['acme', 'beta', undefined][i % 3];
    await recordAuditEvent(platform, {
      id: `e${i}`,
      actor: 'ada',
      action: 'test',
      outcome: 'ok',
      ...(tenant === undefined ? {} : { tenant }),
    });
    if (i % 50 === 49) await sealBatch(platform, signer);
  }
});
afterAll(() => postgres?.stop());

const written = async (id: string) => formatReceipt(await proveEvent(platform, id));

test.each(['e0', 'e1', 'e2', 'e150', 'e299'])(
  'the receipt of %s proves it without a database',
  async (id) => {
    const proved = verifyReceipt(JSON.parse(await written(id)), key);
    expect(proved).toMatchObject({
      event: { id, actor: 'ada', action: 'test' },
      signedBy: ['example.org/audit'],
    });
    expect(proved.platformSize).toBe(18);
  },
);

test('a receipt holds for another one who checked it: a witness', async () => {
  const receipt: Receipt = await proveEvent(platform, 'e7');
  const note = parseNote(receipt.platform.checkpoint);
  const signatures = [...note.signatures, signNote(witness, note.text, new Date())];
  const cosigned = {
    ...receipt,
    platform: { ...receipt.platform, checkpoint: formatNote({ ...note, signatures }) },
  };
  const text = formatReceipt(cosigned);
  expect(verifyReceipt(JSON.parse(text), key, [witness]).signedBy).toEqual([
    'example.org/audit',
    'witness.example',
  ]);
  expect(verifyReceipt(JSON.parse(text), key).signedBy).toEqual(['example.org/audit']);
  // The witness alone does not do: the log has to stand by it.
  const only = formatNote({ text: note.text, signatures: signatures.slice(-1) });
  const without = JSON.parse(
    formatReceipt({ ...receipt, platform: { ...receipt.platform, checkpoint: only } }),
  );
  expect(() => verifyReceipt(without, key, [witness])).toThrow('the platform log itself has not signed');
});

test('any character of a receipt that is another one makes it worthless', async () => {
  const text = await written('e42');
  fc.assert(
    fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 32, max: 126 }), (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      let receipt: unknown;
      try {
        receipt = JSON.parse(changed);
      } catch {
        return;
      }
      // White space of the file is no part of it.
      if (JSON.stringify(receipt) === JSON.stringify(JSON.parse(text))) return;
      expect(() => verifyReceipt(receipt, key)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(RECEIPT|NOTE)_INVALID$/) }),
      );
    }),
    { numRuns: 500 },
  );
});

test('a hash of a receipt has one way to be written, and another one of the same bytes is refused', async () => {
  const receipt = JSON.parse(await written('e42'));
  const [first, ...rest] = receipt.log.proof;
  // The last character of 32 bytes carries two bits of nothing.
  const loose = first.replace(/.=$/, (end: string) => `${String.fromCharCode(end.charCodeAt(0) + 1)}=`);
  expect(Buffer.from(loose, 'base64')).toEqual(Buffer.from(first, 'base64'));
  const changed = { ...receipt, log: { ...receipt.log, proof: [loose, ...rest] } };
  expect(() => verifyReceipt(changed, key)).toThrow('no base64 of a SHA-256');
});

test('a receipt of another log, or with parts of two, is refused', async () => {
  const other = generateSigningKey('example.org/other', 'ed25519');
  const [a, b] = [JSON.parse(await written('e3')), JSON.parse(await written('e4'))];
  expect(() => verifyReceipt(a, other)).toThrow('is none of example.org/other');
  expect(() => verifyReceipt({ ...a, entry: b.entry }, key)).toThrow('the event is not in its log');
  expect(() => verifyReceipt({ ...a, platform: b.platform }, key)).toThrow('not in the platform log');
  expect(() => verifyReceipt({ ...a, extra: 1 }, key)).toThrow('form');
  expect(() => verifyReceipt('receipt', key)).toThrow('form');
});

test('an event that is not sealed, or not there, has no receipt', async () => {
  await expect(proveEvent(platform, 'nowhere')).rejects.toMatchObject({
    code: 'EVENT_NOT_SEALED',
    retryable: false,
  });
  await recordAuditEvent(platform, { id: 'late', actor: 'ada', action: 'test', outcome: 'ok' });
  await expect(proveEvent(platform, 'late')).rejects.toMatchObject({
    code: 'EVENT_NOT_SEALED',
    retryable: true,
  });
});
