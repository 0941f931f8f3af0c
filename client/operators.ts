import type { Pool } from 'pg';
import { duration } from '../config';
import {
  type Action,
  appendStatement,
  askWitnesses,
  type Grant,
  type Operator,
  parsePublicKey,
  type Registry,
  refuseIfSetBack,
  StatementRefusedError,
  signIntent,
} from '../core/operators';
import type { OperatorSigning } from './operator-signing';

/** A statement is used at once. */
const STATEMENT_LIFETIME_MS = 5 * 60_000;

export interface NewOperator {
  readonly name: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
  readonly grants: readonly Grant[];
}

export interface Rotation {
  /** Default: whoever signs. */
  readonly name?: string;
  readonly publicKey: string;
  /** How much longer the old key is good, as `'2d'`-style text or milliseconds; default not at all. */
  readonly overlap?: string | number;
}

/** What the capability `operators` offers to a program. Changes are statements, signed by an administrator. */
export class OperatorsClient {
  constructor(
    private readonly platform: Pool,
    private readonly signing: OperatorSigning,
  ) {}

  /** Roots first, then in the order in which they were added; those revoked as well. */
  async list(): Promise<readonly Operator[]> {
    return [...(await this.registry()).operators.values()];
  }

  /** Who may do what, and what in the stored statements has no effect. */
  async registry(): Promise<Registry> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) throw off();
    return verifier.registry();
  }

  /** Adds an operator, or gives one with this key other roles. @throws StatementRefusedError */
  add({ name, publicKey, grants }: NewOperator): Promise<void> {
    const parameters = { name, publicKey: parsePublicKey(publicKey).text, grants };
    return this.say('operators.add', parameters);
  }

  /** From the moment it returns on nothing that the operator has signed is good any more. @throws StatementRefusedError */
  revoke(name: string, reason?: string): Promise<void> {
    return this.say('operators.revoke', { name, reason });
  }

  /** Gives an operator another key; who has the old one signs it himself. @throws StatementRefusedError */
  async rotate({ name, publicKey, overlap }: Rotation): Promise<void> {
    const overlapUntil = overlap === undefined ? undefined : await this.timeIn(duration.parse(overlap));
    await this.say('operators.rotate', {
      name: name ?? (await this.signing.name()),
      publicKey: parsePublicKey(publicKey).text,
      overlapUntil,
    });
  }

  /**
   * A root takes note that the control plane was set back: what was signed before is void, and witnesses that refuse now are
   * counted on no more. Revoke again whoever was revoked since; docs/operations/control-plane-backup.md.
   *
   * @returns the witnesses left behind
   */
  async reAnchor(reason: string): Promise<readonly string[]> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) throw off();
    const refusing = (await askWitnesses(this.platform, verifier.policy)).flatMap(({ name, view }) =>
      view.kind === 'refuses' ? [{ name, seen: view.seen ?? Number.MAX_SAFE_INTEGER }] : [],
    );
    await this.say('operators.re-anchor', { witnesses: refusing, reason });
    return refusing.map(({ name }) => name);
  }

  private async say(action: Action, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const verifier = await this.signing.verifier();
    if (verifier === undefined) throw off();
    const { head: previous, reAnchors } = await verifier.registry();
    // Revoking is safe whatever has happened, and re-anchoring is what ends it.
    if (action === 'operators.add' || action === 'operators.rotate') {
      const { policy } = verifier;
      refuseIfSetBack(await askWitnesses(this.platform, policy), reAnchors, policy.whenWitnessesAreAway);
    }
    const intent = { action, operator: await this.signing.name(), parameters: { previous, ...parameters } };
    const signer = await this.signing.signer();
    const signed = await signIntent(this.platform, signer, intent, STATEMENT_LIFETIME_MS);
    await appendStatement(this.platform, verifier.policy.roots, signed);
  }

  /** Microseconds by the control plane's clock, as every time of the registry. */
  private async timeIn(ms: number): Promise<string> {
    const { rows } = await this.platform.query<{ at: string }>(
      `select to_char((clock_timestamp() + $1 * interval '1 millisecond') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
      [ms],
    );
    return rows[0]?.at ?? '';
  }
}

function off(): StatementRefusedError {
  return new StatementRefusedError(
    'the configuration has no section operators',
    'Name the roots under operators.administrators: docs/compliance/access-control.md.',
  );
}
