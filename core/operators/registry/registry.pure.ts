import type { Action, Role } from '../intent/actions.pure';
import { ACTIONS } from '../intent/actions.pure';

/** A role, and for whom. */
export interface Grant {
  readonly role: Role;
  /** Absent: for all tenants, and for the platform as a whole. */
  readonly tenants?: readonly string[];
}

export interface OperatorKey {
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  readonly fingerprint: string;
  /** ISO 8601; absent while the key is good. */
  readonly until?: string;
}

export interface Operator {
  readonly name: string;
  readonly keys: readonly OperatorKey[];
  readonly grants: readonly Grant[];
  /** Named by the configuration: not to be revoked by anybody's statement. */
  readonly root: boolean;
  readonly since?: string;
  readonly revoked?: { readonly by: string; readonly at: string; readonly reason?: string };
}

/** A root's word that the control plane was set back on purpose. */
export interface ReAnchor {
  readonly at: string;
  readonly by: string;
  /** Witnesses that refuse because of it, with what they had seen. */
  readonly witnesses: readonly { readonly name: string; readonly seen: number }[];
}

/** Who may do what, as the statements have it. */
export interface Registry {
  readonly operators: ReadonlyMap<string, Operator>;
  /** SHA-256 of the last statement in hexadecimal; that of nothing is empty. */
  readonly head: string;
  readonly statements: number;
  readonly reAnchors: readonly ReAnchor[];
  /** Statements that nobody has signed who may: they change nothing. By their number, with the reason. */
  readonly ignored: readonly { readonly seq: number; readonly reason: string }[];
}

/** Whether a role of the operator covers the action for this tenant, or for the platform when there is none. */
export function mayDo({ grants }: Operator, action: Action, tenant: string | undefined): boolean {
  return grants.some(
    ({ role, tenants }) =>
      role === ACTIONS[action] &&
      (tenants === undefined || (tenant !== undefined && tenants.includes(tenant))),
  );
}

/** Whether the key is the operator's at this moment. ISO 8601 in UTC with one form is ordered as text. */
export function hasKey({ keys }: Operator, publicKey: string, at: string): boolean {
  return keys.some((key) => key.publicKey === publicKey && (key.until === undefined || at < key.until));
}
