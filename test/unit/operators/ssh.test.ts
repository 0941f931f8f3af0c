import fc from 'fast-check';
import { parsePublicKey } from '../../../core/operators';
import { formatSignature, signerOf } from '../../../core/operators/ssh';
import { parseSignature } from '../../../core/operators/ssh/ssh-signature.pure';
import { newSigner } from '../../support/operators';

const signer = newSigner();

test('a signature is its key’s, of its message and of no other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (message, other) => {
      const signature = await signer.sign(message);
      expect(signerOf(message, signature)?.text).toBe(signer.key.text);
      if (other !== message) expect(signerOf(other, signature)).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test('no byte of a signature can be changed', async () => {
  const bytes = Buffer.from(await signer.sign('message'), 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed.writeUInt8((changed[at] ?? 0) ^ 0x01, at);
    expect(signerOf('message', changed.toString('base64'))?.text).not.toBe(signer.key.text);
  }
});

test('whatever else is given as a signature is none', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
      ),
      (text) => {
        expect(parseSignature(text)).toBeUndefined();
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const signature = formatSignature(signer.key, Buffer.alloc(64, 1));
      const blob = Buffer.from(signature, 'base64');
      expect(parseSignature(Buffer.concat([blob, bytes]).toString('base64')) === undefined).toBe(
        bytes.length > 0,
      );
      expect(parseSignature(blob.subarray(0, bytes.length % blob.length).toString('base64'))).toBeUndefined();
    }),
  );
});

test('only Ed25519 keys in OpenSSH’s form are keys', () => {
  expect(parsePublicKey(`${signer.key.text} ada@laptop`).text).toBe(signer.key.text);
  expect(signer.key.fingerprint).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  for (const text of [
    '',
    'ssh-rsa AAAA',
    'ssh-ed25519',
    'ssh-ed25519 AAAA',
    `${signer.key.text.slice(0, -4)}`,
  ]) {
    expect(() => parsePublicKey(text)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  }
});
