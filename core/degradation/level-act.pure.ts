import type { Action, SignedIntent } from '../operators';

/** What a person does to a level. Times in milliseconds. */
export type LevelAct =
  | { readonly kind: 'set'; readonly level: string; readonly forMs: number; readonly reason: string }
  | { readonly kind: 'release'; readonly reason: string }
  | { readonly kind: 'read-only'; readonly forMs: number; readonly reason: string }
  | { readonly kind: 'writable'; readonly reason: string };

/** Proof that operators want it, where they sign. Nobody has checked it yet. */
export interface SignedAct {
  readonly intent?: SignedIntent;
  readonly approvals?: readonly SignedIntent[];
}

const ACTIONS = {
  set: 'degradation.override',
  release: 'degradation.release',
  'read-only': 'degradation.read-only',
  writable: 'degradation.writable',
} as const satisfies Record<LevelAct['kind'], Action>;

/** What the intent for an act says; the same for whoever signs and whoever verifies. */
export function intentOfAct(
  scope: string,
  { kind, ...parameters }: LevelAct,
): { readonly action: Action; readonly parameters: Readonly<Record<string, unknown>> } {
  return { action: ACTIONS[kind], parameters: { scope, ...parameters } };
}

/** What a person sets against the controller may need others' consent; giving it back never does. */
export function setsAgainstController({ kind }: LevelAct): boolean {
  return kind === 'set' || kind === 'read-only';
}
