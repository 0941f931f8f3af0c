import fc from 'fast-check';
import { foldRegistry, mayDo, type Registry } from '../../../core/operators/registry';
import { Chain, newSigner } from '../../support/operators';

const ada = newSigner();
const grace = newSigner();

function registryOf(chain: Chain, statements = chain.statements): Registry {
  const folded = foldRegistry(chain.roots, statements);
  if (folded.kind === 'damaged') throw new Error(folded.problem);
  return folded.registry;
}

const add = (name: string, publicKey: string, role = 'requester', tenants?: readonly string[]) => ({
  name,
  publicKey,
  grants: [{ role, ...(tenants === undefined ? {} : { tenants }) }],
});

test('invariant 1: an operator is who a root or an administrator has signed for', async () => {
  const chain = new Chain();
  await chain.say('operators.add', add('ada', ada.key.text, 'administrator'));
  await chain.say('operators.add', add('grace', grace.key.text, 'requester', ['acme']), {
    name: 'ada',
    signer: ada,
  });
  const { operators, ignored } = registryOf(chain);
  expect([...operators.keys()]).toEqual(['root', 'ada', 'grace']);
  expect(ignored).toEqual([]);
  const found = operators.get('grace');
  expect(found && mayDo(found, 'recovery.restore', 'acme')).toBe(true);
  expect(found && mayDo(found, 'recovery.restore', 'birch')).toBe(false);
  expect(found && mayDo(found, 'recovery.restore', undefined)).toBe(false);
  expect(found && mayDo(found, 'recovery.approve', 'acme')).toBe(false);
});

test('invariant 2: what nobody has signed who may is in the chain and changes nothing', async () => {
  const chain = new Chain();
  const stranger = newSigner();
  await chain.say('operators.add', add('ada', ada.key.text, 'requester'));
  await chain.say('operators.add', add('mallory', stranger.key.text, 'administrator'), {
    name: 'root',
    signer: stranger,
  });
  await chain.say('operators.add', add('mallory', stranger.key.text, 'administrator'), {
    name: 'ada',
    signer: ada,
  });
  await chain.say('operators.add', add('grace', grace.key.text));
  const { operators, ignored } = registryOf(chain);
  expect([...operators.keys()]).toEqual(['root', 'ada', 'grace']);
  expect(ignored.map(({ seq }) => seq)).toEqual([2, 3]);
});

test('invariant 2: no statement can be taken out, put in or exchanged without its absence being seen', async () => {
  const chain = new Chain();
  await chain.say('operators.add', add('ada', ada.key.text));
  await chain.say('operators.revoke', { name: 'ada' });
  await chain.say('operators.add', add('grace', grace.key.text));
  await chain.say('operators.add', add('hopper', newSigner().key.text));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 }), fc.boolean(), async (at, renumbered) => {
      const cut = chain.statements.filter((_, index) => index !== at);
      const told = renumbered ? cut.map((one, index) => ({ ...one, seq: index + 1 })) : cut;
      expect(foldRegistry(chain.roots, told)).toMatchObject({ kind: 'damaged' });
    }),
  );
  const [one, two, ...rest] = chain.statements;
  if (one === undefined || two === undefined) throw new Error('two statements were made');
  const exchanged = [{ ...two, seq: 1 }, { ...one, seq: 2 }, ...rest];
  expect(foldRegistry(chain.roots, exchanged)).toMatchObject({ kind: 'damaged' });
});

test('a revocation holds for ever, and a name and a key are given once', async () => {
  const chain = new Chain();
  await chain.say('operators.add', add('ada', ada.key.text, 'administrator'));
  await chain.say('operators.revoke', { name: 'ada', reason: 'left' });
  await chain.say('operators.add', add('ada', ada.key.text, 'administrator'));
  await chain.say('operators.add', add('eve', ada.key.text, 'administrator'));
  await chain.say('operators.add', add('grace', grace.key.text), { name: 'ada', signer: ada });
  await chain.say('operators.revoke', { name: 'root' });
  const { operators, ignored } = registryOf(chain);
  expect(operators.get('ada')?.revoked).toMatchObject({ by: 'root', reason: 'left' });
  expect([...operators.keys()]).toEqual(['root', 'ada']);
  expect(ignored.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
});

test('a key is rotated by its owner, and the old one is good until the overlap is over', async () => {
  const chain = new Chain();
  const next = newSigner();
  await chain.say('operators.add', add('ada', ada.key.text));
  const overlapUntil = '2026-11-24T00:00:00.000000Z';
  await chain.say(
    'operators.rotate',
    { name: 'ada', publicKey: next.key.text, overlapUntil },
    { name: 'ada', signer: ada },
  );
  await chain.say('operators.rotate', { name: 'root', publicKey: newSigner().key.text });
  await chain.say('operators.rotate', { name: 'ada', publicKey: ada.key.text });
  const { operators, ignored } = registryOf(chain);
  expect(operators.get('ada')?.keys).toEqual([
    { publicKey: ada.key.text, fingerprint: ada.key.fingerprint, until: overlapUntil },
    { publicKey: next.key.text, fingerprint: next.key.fingerprint },
  ]);
  expect(ignored.map(({ seq }) => seq)).toEqual([3, 4]);
});

test('only a root takes note that the control plane was set back', async () => {
  const chain = new Chain();
  await chain.say('operators.add', add('ada', ada.key.text, 'administrator'));
  const parameters = { witnesses: [{ name: 'w', seen: 12 }], reason: 'restored' };
  await chain.say('operators.re-anchor', parameters, { name: 'ada', signer: ada });
  expect(registryOf(chain).reAnchors).toEqual([]);
  await chain.say('operators.re-anchor', parameters);
  expect(registryOf(chain).reAnchors).toMatchObject([{ by: 'root', witnesses: [{ name: 'w', seen: 12 }] }]);
});

test('whatever rows there are, nobody but the signed becomes an operator', () => {
  const chain = new Chain();
  const row = fc.record({ intent: fc.oneof(fc.string(), fc.json()), signature: fc.base64String() });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const statements = rows.map((one, index) => ({ ...one, seq: index + 1 }));
      expect([...registryOf(chain, statements).operators.keys()]).toEqual(['root']);
    }),
  );
});
