import fc from 'fast-check';
import type { Intent, SignedIntent } from '../../../core/operators';
import { missingApprovals } from '../../../core/operators/intent/approvals.pure';
import { checkIntent, type Expected } from '../../../core/operators/intent/check-intent.pure';
import { foldRegistry, type Registry } from '../../../core/operators/registry';
import { Chain, NOW, newSigner, signed, TOMORROW } from '../../support/operators';

const ada = newSigner();
const DAY_MS = 86_400_000;
const expected: Expected = { action: 'recovery.restore', tenant: 'acme', parameters: { to: '20m ago' } };
const asked = {
  action: 'recovery.restore',
  operator: 'ada',
  tenant: 'acme',
  parameters: { to: '20m ago' },
} as const;

let registry: Registry;
let good: SignedIntent;

beforeAll(async () => {
  const chain = new Chain();
  const grants = [{ role: 'requester', tenants: ['acme', 'birch'] }];
  await chain.say('operators.add', { name: 'ada', publicKey: ada.key.text, grants });
  const folded = foldRegistry(chain.roots, chain.statements);
  if (folded.kind === 'damaged') throw new Error(folded.problem);
  registry = folded.registry;
  good = await signed(ada, asked);
});

const moment = (now = NOW) => ({ registry, now, maxLifetimeMs: DAY_MS, usedInTime: false });

function codeOf(intent: unknown, at: Partial<ReturnType<typeof moment>> = {}, wanted = expected) {
  const checked = checkIntent(intent, wanted, { ...moment(), ...at });
  return checked.kind === 'good' ? 'good' : checked.refusal.code;
}

test('invariant 3: an intent is good for exactly what it says', async () => {
  expect(codeOf(good)).toBe('good');
  expect(codeOf(undefined)).toBe('INTENT_MISSING');
  const other = async (change: Partial<Intent>) => codeOf(await signed(ada, { ...asked, ...change }));
  await expect(other({ tenant: 'birch' })).resolves.toBe('INTENT_MISMATCH');
  await expect(other({ parameters: { to: '21m ago' } })).resolves.toBe('INTENT_MISMATCH');
  await expect(other({ parameters: { to: '20m ago', allowEmpty: true } })).resolves.toBe('INTENT_MISMATCH');
  await expect(other({ action: 'recovery.undo' })).resolves.toBe('INTENT_MISMATCH');
  await expect(other({ tenant: undefined })).resolves.toBe('INTENT_MISMATCH');
});

test('invariant 3: it is good from when it was signed until it expires, and no longer than the policy has it', async () => {
  expect(codeOf(good, { now: TOMORROW })).toBe('INTENT_EXPIRED');
  expect(codeOf(good, { now: TOMORROW, usedInTime: true })).toBe('good');
  expect(codeOf(good, { now: '2026-11-23T10:13:00.000000Z' })).toBe('INTENT_EXPIRED');
  expect(codeOf(good, { maxLifetimeMs: 3_600_000 })).toBe('INTENT_EXPIRED');
  const reAnchors = [{ at: '2026-11-23T10:15:01.000000Z', by: 'root', witnesses: [] }];
  expect(codeOf(good, { registry: { ...registry, reAnchors }, usedInTime: true })).toBe('INTENT_EXPIRED');
});

test('who signs has to be known, not revoked, and allowed for this tenant', async () => {
  const stranger = newSigner();
  expect(codeOf(await signed(stranger, asked))).toBe('OPERATOR_UNKNOWN');
  expect(codeOf(await signed(stranger, { ...asked, operator: 'mallory' }))).toBe('OPERATOR_UNKNOWN');
  const cedar = { ...expected, tenant: 'cedar' };
  expect(codeOf(await signed(ada, { ...asked, tenant: 'cedar' }), {}, cedar)).toBe('INTENT_OUT_OF_SCOPE');
  const approval: Expected = { ...expected, action: 'recovery.approve' };
  expect(codeOf(await signed(ada, { ...asked, action: 'recovery.approve' }), {}, approval)).toBe(
    'INTENT_OUT_OF_SCOPE',
  );
  const operators = new Map(registry.operators);
  const known = operators.get('ada');
  if (known === undefined) throw new Error('ada was added');
  operators.set('ada', { ...known, revoked: { by: 'root', at: NOW } });
  expect(codeOf(good, { registry: { ...registry, operators } })).toBe('OPERATOR_REVOKED');
});

test('any change of the text or of the signature makes it void', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('intent' as const, 'signature' as const),
      fc.nat(),
      fc.string({ minLength: 1, maxLength: 1 }),
      (part, n, character) => {
        const text = good[part];
        const at = n % text.length;
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        if (changed === text) return;
        expect(codeOf({ ...good, [part]: changed })).not.toBe('good');
      },
    ),
  );
});

test('a signature has one way to be written, and another one of the same bytes is void', () => {
  const bytes = Buffer.from(good.signature, 'base64');
  const spellings = Array.from({ length: 64 }, (_, code) =>
    good.signature.replace(
      /[^=](?==*$)/,
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charAt(code),
    ),
  ).filter((text) => text !== good.signature && Buffer.from(text, 'base64').equals(bytes));
  for (const text of [...spellings, `${good.signature}=`, good.signature.replace(/=+$/, '='.repeat(3))])
    expect(codeOf({ ...good, signature: text })).toBe('INTENT_INVALID');
});

test('whatever is given for an intent is refused, with a code', () => {
  const junk = fc.oneof(
    fc.anything(),
    fc.record({ intent: fc.json(), signature: fc.base64String() }),
    fc.constant({ intent: `${'['.repeat(8_000)}${']'.repeat(8_000)}`, signature: 'AAAA' }),
  );
  fc.assert(
    fc.property(junk, (intent) => expect(['INTENT_MISSING', 'INTENT_INVALID']).toContain(codeOf(intent))),
  );
});

test('four eyes: a person counts once, and never for what he asked for himself', () => {
  const person = (name: string) => ({ operator: { name, keys: [], grants: [], root: false } });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('ada', 'grace', 'hopper')),
      fc.integer({ min: 0, max: 3 }),
      (names, needed) => {
        const others = new Set(names.filter((name) => name !== 'ada'));
        const missing = missingApprovals(person('ada'), names.map(person), needed);
        expect(missing?.code).toBe(others.size >= needed ? undefined : 'APPROVALS_MISSING');
      },
    ),
  );
});
