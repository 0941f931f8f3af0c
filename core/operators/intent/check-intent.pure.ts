import { canonicalJson } from '../../canonical-json';
import { hasKey, mayDo, type Operator, type Registry } from '../registry/registry.pure';
import { signerOf } from '../ssh';
import type { Action } from './actions.pure';
import { type Intent, parseIntent, type SignedIntent, signedIntentSchema } from './intent.pure';

/** What is about to be done, by whoever does it: the intent has to say the same. */
export interface Expected {
  readonly action: Action | readonly Action[];
  readonly tenant?: string;
  /** Equal as canonical JSON; or a test, where whoever does it knows a part of them only. */
  readonly parameters: Readonly<Record<string, unknown>> | ((parameters: Intent['parameters']) => boolean);
}

export interface IntentRefusal {
  readonly code:
    | 'INTENT_MISSING'
    | 'INTENT_INVALID'
    | 'INTENT_MISMATCH'
    | 'INTENT_EXPIRED'
    | 'INTENT_REPLAYED'
    | 'INTENT_OUT_OF_SCOPE'
    | 'OPERATOR_UNKNOWN'
    | 'OPERATOR_REVOKED'
    | 'APPROVALS_MISSING';
  readonly message: string;
  readonly hint: string;
}

export interface GoodIntent {
  readonly kind: 'good';
  readonly intent: Intent;
  readonly operator: Operator;
  readonly fingerprint: string;
  readonly signed: SignedIntent;
}

export type Checked = GoodIntent | { readonly kind: 'refused'; readonly refusal: IntentRefusal };

export interface Moment {
  readonly registry: Registry;
  /** ISO 8601 with microseconds, by the control plane's clock. */
  readonly now: string;
  readonly maxLifetimeMs: number;
  /** The same operation used it before it expired. */
  readonly usedInTime: boolean;
}

/** A clock that was set back a little, such as by a failover, makes nobody's signature void. */
const FUTURE_MS = 60_000;

/** Whether a signed intent allows exactly what is expected, at this moment. No clock, no I/O. */
export function checkIntent(signed: unknown, expected: Expected, moment: Moment): Checked {
  const actions = [expected.action].flat();
  if (signed === undefined || signed === null) {
    return refuse(
      'INTENT_MISSING',
      `${actions.join(' or ')} needs a signed intent, and there is none.`,
      'Use the command line or the SDK with a key: CHRONAWFLOW_OPERATOR_KEY; docs/compliance/access-control.md.',
    );
  }
  const parsed = signedIntentSchema.safeParse(signed);
  const intent = parsed.success ? parseIntent(parsed.data.intent) : undefined;
  const key = parsed.success ? signerOf(parsed.data.intent, parsed.data.signature) : undefined;
  if (!parsed.success || intent === undefined || key === undefined) {
    return refuse(
      'INTENT_INVALID',
      'This is no intent that a key has signed.',
      'Sign it with the command line or the SDK of this version.',
    );
  }
  const operator = moment.registry.operators.get(intent.operator);
  return (
    refuseSigner(intent, operator, key.text, moment) ??
    refuseWhat(intent, expected, actions) ??
    refuseWhen(intent, moment) ??
    (operator === undefined
      ? refuseUnknown(intent)
      : scoped({ kind: 'good', intent, operator, fingerprint: key.fingerprint, signed: parsed.data }))
  );
}

function refuseSigner(
  intent: Intent,
  operator: Operator | undefined,
  publicKey: string,
  { now }: Moment,
): Checked | undefined {
  if (operator === undefined) return refuseUnknown(intent);
  if (operator.revoked !== undefined) {
    return refuse(
      'OPERATOR_REVOKED',
      `${operator.name} was revoked by ${operator.revoked.by} at ${operator.revoked.at}.`,
      'Have another operator sign it.',
    );
  }
  if (hasKey(operator, publicKey, now)) return undefined;
  return refuse(
    'OPERATOR_UNKNOWN',
    `The key that signed it is not ${operator.name}’s, or not any more.`,
    'Sign with the key that `chronawflow operators list` shows.',
  );
}

function refuseWhat(intent: Intent, expected: Expected, actions: readonly Action[]): Checked | undefined {
  const { parameters } = expected;
  const same =
    typeof parameters === 'function'
      ? parameters(intent.parameters)
      : canonicalJson(parameters) === canonicalJson(intent.parameters);
  if (actions.includes(intent.action) && intent.tenant === expected.tenant && same) return undefined;
  return refuse(
    'INTENT_MISMATCH',
    `${intent.operator} has signed ${intent.action} of ${intent.tenant ?? 'the platform'}, which is not what would be done: ` +
      `${actions.join(' or ')} of ${expected.tenant ?? 'the platform'}, with other parameters perhaps.`,
    'Start again from the command line, which signs what it asks for.',
  );
}

function refuseWhen(
  intent: Intent,
  { registry, now, maxLifetimeMs, usedInTime }: Moment,
): Checked | undefined {
  const { issuedAt, expiresAt } = intent;
  const again = 'Sign it again, and look before whether it is still wanted.';
  const anchored = registry.reAnchors.at(-1);
  if (anchored !== undefined && issuedAt < anchored.at) {
    const why = `It was signed at ${issuedAt}, before ${anchored.by} took note that the control plane was set back.`;
    return refuse('INTENT_EXPIRED', why, again);
  }
  if (Date.parse(expiresAt) - Date.parse(issuedAt) > maxLifetimeMs)
    return refuse(
      'INTENT_EXPIRED',
      'It would be good for longer than operators.intentLifetime allows.',
      again,
    );
  if (Date.parse(issuedAt) - Date.parse(now) > FUTURE_MS)
    return refuse('INTENT_EXPIRED', `It was signed at ${issuedAt}, which has not come yet.`, again);
  if (!usedInTime && expiresAt <= now) return refuse('INTENT_EXPIRED', `It expired at ${expiresAt}.`, again);
  return undefined;
}

function scoped(good: GoodIntent): Checked {
  const { operator, intent } = good;
  if (mayDo(operator, intent.action, intent.tenant)) return good;
  return refuse(
    'INTENT_OUT_OF_SCOPE',
    `${operator.name} may not do ${intent.action} for ${intent.tenant === undefined ? 'the platform' : `tenant ${intent.tenant}`}.`,
    'An administrator gives roles: `chronawflow operators add --role … --tenant …`.',
  );
}

function refuseUnknown({ operator }: Intent): Checked {
  return refuse(
    'OPERATOR_UNKNOWN',
    `${operator} is no operator.`,
    'An administrator adds operators: `chronawflow operators add`.',
  );
}

function refuse(code: IntentRefusal['code'], message: string, hint: string): Checked {
  return { kind: 'refused', refusal: { code, message, hint } };
}
