import { createHash } from 'node:crypto';
import { z } from 'zod';
import { ROLES } from '../intent/actions.pure';
import { type Intent, instant, operatorName, parseIntent, type SignedIntent } from '../intent/intent.pure';
import { parsePublicKey, signerOf } from '../ssh';
import { hasKey, mayDo, type Operator, type Registry } from './registry.pure';

/** A signed change of the registry, as it is stored. */
export interface Statement extends SignedIntent {
  /** From 1, without a gap. */
  readonly seq: number;
}

/** A root, as the configuration names it. */
export interface Root {
  readonly name: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

export type Folded =
  | { readonly kind: 'registry'; readonly registry: Registry }
  /** The chain is broken: what is missing could be a revocation. */
  | { readonly kind: 'damaged'; readonly problem: string };

/** Parts that every statement has: the hash of the one before it. */
const chained = { previous: z.string().regex(/^([0-9a-f]{64})?$/) };

const grants = z
  .array(
    z.strictObject({
      role: z.enum(ROLES),
      tenants: z.array(z.string().min(1).max(200)).min(1).max(1_000).optional(),
    }),
  )
  .min(1)
  .max(100);

export const statementParameters = {
  'operators.add': z.strictObject({ ...chained, name: operatorName, publicKey: z.string().max(200), grants }),
  'operators.revoke': z.strictObject({
    ...chained,
    name: operatorName,
    reason: z.string().max(1_000).optional(),
  }),
  'operators.rotate': z.strictObject({
    ...chained,
    name: operatorName,
    publicKey: z.string().max(200),
    /** Until when the old keys are good as well. */
    overlapUntil: instant.optional(),
  }),
  'operators.re-anchor': z.strictObject({
    ...chained,
    witnesses: z.array(z.strictObject({ name: z.string().max(300), seen: z.number().int().min(0) })).max(20),
    reason: z.string().max(1_000),
  }),
} as const;

export function emptyRegistry(roots: readonly Root[]): Registry {
  const operators = roots.map((root): [string, Operator] => {
    const key = parsePublicKey(root.publicKey);
    return [
      root.name,
      {
        name: root.name,
        keys: [{ publicKey: key.text, fingerprint: key.fingerprint }],
        grants: [{ role: 'administrator' }],
        root: true,
      },
    ];
  });
  return { operators: new Map(operators), head: '', statements: 0, reAnchors: [], ignored: [] };
}

/** Hash by which the next statement names this one. */
export function statementHash({ intent, signature }: SignedIntent): string {
  return createHash('sha256').update(`${intent}\n${signature}`).digest('hex');
}

/**
 * The registry that the statements make of the roots. What is signed by nobody who may, or makes no sense, is in the chain and
 * has no effect; a chain with a gap or a changed link has no registry at all.
 */
export function foldRegistry(roots: readonly Root[], statements: readonly Statement[]): Folded {
  let registry = emptyRegistry(roots);
  for (const statement of statements) {
    if (statement.seq !== registry.statements + 1) {
      return { kind: 'damaged', problem: `statement ${registry.statements + 1} is missing` };
    }
    const intent = parseIntent(statement.intent);
    const previous = intent?.parameters.previous;
    if (typeof previous === 'string' && previous !== registry.head && signedByKnown(registry, statement)) {
      return { kind: 'damaged', problem: `statement ${statement.seq} does not follow the one before it` };
    }
    const applied = apply(registry, intent, statement);
    const head = statementHash(statement);
    registry =
      typeof applied === 'string'
        ? {
            ...registry,
            head,
            statements: statement.seq,
            ignored: [...registry.ignored, { seq: statement.seq, reason: applied }],
          }
        : { ...applied, head, statements: statement.seq };
  }
  return { kind: 'registry', registry };
}

/** Only who is known can say that the chain was another one; a stranger's row is merely ignored. */
function signedByKnown({ operators }: Registry, statement: Statement): boolean {
  const key = signerOf(statement.intent, statement.signature);
  return (
    key !== undefined &&
    [...operators.values()].some(({ keys }) => keys.some((one) => one.publicKey === key.text))
  );
}

/** @returns the registry after it, or why it has no effect. */
export function apply(
  registry: Registry,
  intent: Intent | undefined,
  statement: SignedIntent,
): Registry | string {
  if (intent === undefined) return 'it is no statement';
  const key = signerOf(statement.intent, statement.signature);
  const signer = registry.operators.get(intent.operator);
  if (key === undefined || signer === undefined) return 'nobody who is known has signed it';
  if (signer.revoked !== undefined) return `${signer.name} was revoked`;
  if (!hasKey(signer, key.text, intent.issuedAt)) return `its key is none of ${signer.name}’s`;
  // Who rotates his own key needs no administrator.
  const own = intent.action === 'operators.rotate' && intent.parameters.name === signer.name;
  if (!own && !mayDo(signer, intent.action, undefined)) return `${signer.name} is no administrator`;
  if (intent.parameters.previous !== registry.head) return 'it was made for another registry';
  switch (intent.action) {
    case 'operators.add':
      return add(registry, intent);
    case 'operators.revoke':
      return revoke(registry, intent);
    case 'operators.rotate':
      return rotate(registry, intent);
    case 'operators.re-anchor':
      return reAnchor(registry, intent, signer);
    default:
      return 'it is no statement';
  }
}

function add(registry: Registry, { parameters, issuedAt }: Intent): Registry | string {
  const parsed = statementParameters['operators.add'].safeParse(parameters);
  if (!parsed.success) return 'its parameters are not valid';
  const { name, publicKey, grants } = parsed.data;
  const key = readKey(publicKey);
  if (key === undefined) return 'its key is no Ed25519 key';
  const known = registry.operators.get(name);
  if (known?.root) return `${name} is a root, which the configuration names`;
  if (known?.revoked !== undefined) return `${name} was revoked; a name is never given again`;
  if (known !== undefined && !hasKey(known, key.publicKey, issuedAt)) return `${name} has another key`;
  if (ownerOf(registry, key.publicKey, name) !== undefined) return 'its key is another operator’s';
  return withOperator(registry, {
    name,
    keys: known?.keys ?? [key],
    grants,
    root: false,
    since: known?.since ?? issuedAt,
  });
}

function revoke(registry: Registry, { parameters, operator, issuedAt }: Intent): Registry | string {
  const parsed = statementParameters['operators.revoke'].safeParse(parameters);
  if (!parsed.success) return 'its parameters are not valid';
  const known = registry.operators.get(parsed.data.name);
  if (known === undefined || known.root) return `${parsed.data.name} is no operator that can be revoked`;
  if (known.revoked !== undefined) return `${known.name} was revoked before`;
  const { reason } = parsed.data;
  return withOperator(registry, {
    ...known,
    revoked: { by: operator, at: issuedAt, ...(reason === undefined ? {} : { reason }) },
  });
}

function rotate(registry: Registry, { parameters, issuedAt }: Intent): Registry | string {
  const parsed = statementParameters['operators.rotate'].safeParse(parameters);
  if (!parsed.success) return 'its parameters are not valid';
  const { name, publicKey, overlapUntil } = parsed.data;
  const known = registry.operators.get(name);
  const key = readKey(publicKey);
  if (known === undefined || known.root || known.revoked !== undefined)
    return `${name} is no operator whose key can be changed`;
  if (key === undefined) return 'its key is no Ed25519 key';
  // Also of its own old ones: a key that was given up stays given up.
  if (ownerOf(registry, key.publicKey) !== undefined) return 'its key was used before';
  const until = overlapUntil ?? issuedAt;
  const ended = known.keys.map((old) =>
    old.until === undefined || old.until > until ? { ...old, until } : old,
  );
  return withOperator(registry, { ...known, keys: [...ended, key] });
}

/** Only a root: administrators of the registry that was set back may have been revoked since. */
function reAnchor(registry: Registry, { parameters, issuedAt }: Intent, signer: Operator): Registry | string {
  const parsed = statementParameters['operators.re-anchor'].safeParse(parameters);
  if (!parsed.success) return 'its parameters are not valid';
  if (!signer.root) return `${signer.name} is no root`;
  const { witnesses } = parsed.data;
  return {
    ...registry,
    reAnchors: [...registry.reAnchors, { at: issuedAt, by: signer.name, witnesses }],
  };
}

function readKey(text: string): { readonly publicKey: string; readonly fingerprint: string } | undefined {
  try {
    const key = parsePublicKey(text);
    return { publicKey: key.text, fingerprint: key.fingerprint };
  } catch {
    return undefined;
  }
}

function ownerOf({ operators }: Registry, publicKey: string, except?: string): string | undefined {
  return [...operators.values()].find(
    (one) => one.name !== except && one.keys.some((key) => key.publicKey === publicKey),
  )?.name;
}

function withOperator(registry: Registry, operator: Operator): Registry {
  return { ...registry, operators: new Map(registry.operators).set(operator.name, operator) };
}
