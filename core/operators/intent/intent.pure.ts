import { z } from 'zod';
import { canonicalJson } from '../../canonical-json';
import { type Action, isAction } from './actions.pure';

/** All of what somebody wants done. */
export interface Intent {
  readonly action: Action;
  /** Name of who signs. */
  readonly operator: string;
  /** Whose rows or jobs it is about; absent for the platform as a whole. */
  readonly tenant?: string;
  /** What the action needs to know; JSON. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** 128 random bits: no two intents are the same. */
  readonly nonce: string;
  /** ISO 8601 with microseconds, by the control plane's clock. */
  readonly issuedAt: string;
  readonly expiresAt: string;
}

export type { SignedIntent } from './types';

/** Temporal keeps it in every step's input: bounded. */
const MAX_INTENT = 16_384;

/** One form, so that times are ordered as text. */
export const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);

/** Names stand in audit events, on command lines and in the Web UI. */
export const operatorName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/);

const intentSchema = z.strictObject({
  v: z.literal(1),
  action: z.string().refine(isAction),
  operator: operatorName,
  tenant: z.string().min(1).max(200).optional(),
  parameters: z.record(z.string(), z.unknown()),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22}$/),
  issuedAt: instant,
  expiresAt: instant,
});

export const signedIntentSchema = z.strictObject({
  intent: z.string().min(2).max(MAX_INTENT),
  signature: z.string().min(1).max(1_000),
});

/** The one text of an intent. @throws InvalidInputError for parameters that JSON cannot keep */
export function intentText(intent: Intent): string {
  return canonicalJson({ v: 1, ...intent });
}

/** Undefined when it is no intent in its one form: another spelling of the same JSON has another signature. */
export function parseIntent(text: string): Intent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const parsed = intentSchema.safeParse(value);
    if (!parsed.success || canonicalJson(value) !== text) return undefined;
    const { v: _, ...intent } = parsed.data;
    return intent;
  } catch {
    // No JSON, text that is no Unicode, or nested beyond what a stack holds: nothing that we have made.
    return undefined;
  }
}
