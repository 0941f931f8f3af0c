import fc from 'fast-check';
import {
  formatCheckpoint,
  formatNote,
  formatSigningKey,
  formatVerifierKey,
  generateSigningKey,
  isKeyName,
  parseCheckpoint,
  parseNote,
  parseSignatureLines,
  parseSigningKey,
  parseVerifierKey,
  type SignatureKind,
  signNote,
  verifyNote,
} from '../../core/audit/note';

const NOW = new Date('2026-11-23T10:15:00Z');
const KINDS: readonly SignatureKind[] = ['ed25519', 'cosignature-ed25519', 'cosignature-ml-dsa-44'];

/** Published with the Go package golang.org/x/mod/sumdb/note, in its documentation. */
const PUBLISHED = {
  signingKey: 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz',
  verifierKey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: `If you think cryptography is the answer to your problem,
then you don't know what your problem is.
`,
  line: '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};

const name = fc
  .string({ minLength: 1, maxLength: 30, unit: 'grapheme' })
  .filter((text) => isKeyName(text) && Buffer.byteLength(text) <= 255);
const checkpoint = fc.record({
  origin: name,
  size: fc.maxSafeNat(),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(Buffer.from),
});

test('keys and signatures are those that Go publishes', () => {
  const key = parseSigningKey(PUBLISHED.signingKey);
  expect(formatVerifierKey(key)).toBe(PUBLISHED.verifierKey);
  expect(formatSigningKey(key)).toBe(PUBLISHED.signingKey);
  const note = formatNote({ text: PUBLISHED.text, signatures: [signNote(key, PUBLISHED.text, NOW)] });
  expect(note).toBe(`${PUBLISHED.text}\n${PUBLISHED.line}`);
  expect(verifyNote(parseNote(note), [parseVerifierKey(PUBLISHED.verifierKey)])).toHaveLength(1);
});

test.each(KINDS)('%s: what was signed verifies, and any other byte of note or signature does not', (kind) => {
  const key = generateSigningKey('chronawflow.example/platform', kind);
  const text = formatCheckpoint({
    origin: 'chronawflow.example/platform',
    size: 70_000,
    root: Buffer.alloc(32, 7),
  });
  const signature = signNote(key, text, NOW);
  const note = formatNote({ text, signatures: [signature] });
  const known = [parseVerifierKey(formatVerifierKey(key))];
  const [verified] = verifyNote(parseNote(note), known);
  expect(verified?.at).toEqual(kind === 'ed25519' ? undefined : NOW);

  fc.assert(
    fc.property(fc.nat({ max: note.length - 1 }), fc.integer({ min: 33, max: 126 }), (at, code) => {
      const changed = note.slice(0, at) + String.fromCharCode(code) + note.slice(at + 1);
      if (changed === note) return;
      expect(() => verifyNote(parseNote(changed), known)).toThrow(
        expect.objectContaining({ code: 'NOTE_INVALID' }),
      );
    }),
    { numRuns: 60 },
  );
});

test('a cosignature is bound to its time, a quantum-safe one to its cosigner’s name as well', () => {
  const text = formatCheckpoint({ origin: 'log', size: 3, root: Buffer.alloc(32) });
  for (const kind of ['cosignature-ed25519', 'cosignature-ml-dsa-44'] as const) {
    const key = generateSigningKey('witness.example', kind);
    const { signature, ...line } = signNote(key, text, NOW);
    const later = Buffer.from(signature);
    later.writeBigUInt64BE(later.readBigUInt64BE(0) + 1n);
    expect(() => verifyNote({ text, signatures: [{ ...line, signature: later }] }, [key])).toThrow('is bad');
  }
});

test('signatures of unknown keys are passed over, a bad one of a known key is not', () => {
  const [ours, theirs] = [
    generateSigningKey('log', 'ed25519'),
    generateSigningKey('witness', 'cosignature-ed25519'),
  ];
  const text = formatCheckpoint({ origin: 'log', size: 0, root: Buffer.alloc(32) });
  const signatures = [signNote(ours, text, NOW), signNote(theirs, text, NOW)];
  expect(verifyNote({ text, signatures }, [ours]).map(({ key }) => key.name)).toEqual(['log']);
  expect(verifyNote({ text, signatures }, [ours, theirs])).toHaveLength(2);
  expect(() => verifyNote({ text, signatures }, [generateSigningKey('log', 'ed25519')])).toThrow(
    'no known key',
  );
  const [first, second] = signatures;
  if (first === undefined || second === undefined) throw new Error('two were signed');
  const bad = { ...second, signature: Buffer.alloc(second.signature.length) };
  expect(() => verifyNote({ text, signatures: [first, bad] }, [ours, theirs])).toThrow('witness is bad');
});

test('notes, checkpoints and keys come back as they were written', () => {
  fc.assert(
    fc.property(checkpoint, name, fc.constantFrom(...KINDS.slice(0, 2)), (tree, signer, kind) => {
      const key = generateSigningKey(signer, kind);
      expect(parseSigningKey(formatSigningKey(key))).toEqual(key);
      const { seed, ...verifier } = key;
      expect(parseVerifierKey(formatVerifierKey(key))).toEqual(verifier);
      expect(seed).toHaveLength(32);
      const text = formatCheckpoint(tree);
      const signatures = [signNote(key, text, NOW)];
      const note = parseNote(formatNote({ text, signatures }));
      expect(note).toEqual({ text, signatures });
      expect(parseCheckpoint(note.text)).toEqual(tree);
    }),
  );
});

test('nothing but an error comes of hostile input, and it never has the key in it', () => {
  const refusal = expect.objectContaining({ code: 'NOTE_INVALID' });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      (bytes, text) => {
        for (const parse of [
          () => parseNote(bytes),
          () => parseNote(`x\n\n— a ${text}\n`),
          () => parseCheckpoint(text),
          () => parseVerifierKey(text),
          () => parseSigningKey(`PRIVATE+KEY+${text}`),
          () => parseSignatureLines(text),
        ]) {
          try {
            parse();
          } catch (error) {
            expect(error).toEqual(refusal);
          }
        }
      },
    ),
  );
  const key = formatSigningKey(generateSigningKey('log', 'ed25519'));
  for (const broken of [key.slice(0, -8), key.replace('log', 'lag'), key.replace('PRIVATE', 'PUBLIC')]) {
    expect(() => parseSigningKey(broken)).toThrow(refusal);
    expect(() => parseSigningKey(broken)).not.toThrow(key.slice(30, 50));
  }
});

test.each([
  ['no blank line', 'text\n— log AAAAAAA=\n'],
  ['no signature', 'text\n\n'],
  ['a control character', 'te\txt\n\n— log AAAAAAA=\n'],
  ['an end without newline', 'text\n\n— log AAAAAAA='],
  ['a second spelling of base64', 'text\n\n— log AAAAAAB=\n'],
  ['a lone surrogate', 'te\ud800xt\n\n— log AAAAAAA=\n'],
  ['too many signatures', `text\n\n${'— log AAAAAAA=\n'.repeat(101)}`],
])('a note with %s is refused', (_, note) => {
  expect(() => parseNote(note)).toThrow(expect.objectContaining({ code: 'NOTE_INVALID' }));
});

test.each([
  ['leading zeroes', 'log\n01\nAAAA\n'],
  ['a size beyond 2^53', `log\n9007199254740993\n${Buffer.alloc(32).toString('base64')}\n`],
  ['a short hash', 'log\n1\nAAAA\n'],
  ['an extension line', `log\n1\n${Buffer.alloc(32).toString('base64')}\nmore\n`],
  ['no origin', `\n1\n${Buffer.alloc(32).toString('base64')}\n`],
])('a checkpoint with %s is refused', (_, text) => {
  expect(() => parseCheckpoint(text)).toThrow(expect.objectContaining({ code: 'NOTE_INVALID' }));
});

test.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u2003b', 'a\nb'])('%j is no key name', (bad) => {
  expect(() => generateSigningKey(bad, 'ed25519')).toThrow('no key name');
});
