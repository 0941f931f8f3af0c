import { createHash } from 'node:crypto';
import type { ClientBase, Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { askedBy, recordAuditEvent } from '../../audit';
import { IntentRefusedError } from '../errors/intent-refused-error';
import {
  checkIntent,
  type Expected,
  type GoodIntent,
  type IntentRefusal,
  missingApprovals,
  parseIntent,
  type SignedIntent,
  signedIntentSchema,
} from '../intent';
import type { OperatorPolicy } from '../policy';
import { lockRegistryShared, type Registry, readRegistry } from '../registry';
import { HeldRegistry } from './held-registry';
import { askWitnesses, refuseIfSetBack } from './set-back';
import { ownerOfNonce, useNonce } from './used-intents';

/** An intent, what it has to say, and who uses it. */
export interface Demand {
  /** As it came; nobody has checked it. */
  readonly signed: unknown;
  readonly expected: Expected;
  /** Consents of others, as intents of their own, and how many are needed. */
  readonly approvals?: {
    readonly signed: readonly unknown[];
    readonly expected: Expected;
    readonly needed: number;
  };
  /** The operation: the same for each of its retries, and no other's. */
  readonly owner: string;
}

export interface Verified {
  readonly request: GoodIntent;
  readonly approvals: readonly GoodIntent[];
}

/** To be called in the transaction that makes the change, last before its commit. @throws IntentRefusedError */
export type Admit = (tx: ClientBase, demand: Demand) => Promise<Verified>;

/**
 * Verifies signed intents where a change is made (README.md, invariants 3 to 7).
 *
 * @example in the control plane's own transaction
 * await inTransaction(platform, async (tx) => {
 *   const { request } = await verifier.verify(tx, { signed, expected: { action, tenant, parameters }, owner });
 *   await change(tx, { by: request.operator.name });
 * });
 */
export class IntentVerifier {
  constructor(
    private readonly platform: Pool,
    readonly policy: OperatorPolicy,
  ) {}

  /** Who may do what, now. @throws RegistryDamagedError */
  registry(): Promise<Registry> {
    return readRegistry(this.platform, this.policy.roots);
  }

  /**
   * For a change in the control plane: `tx` is its transaction, and nobody is revoked until it has ended.
   *
   * @throws IntentRefusedError, ControlPlaneSetBackError, WitnessAwayError, RegistryDamagedError
   */
  async verify(tx: ClientBase, demand: Demand): Promise<Verified> {
    const witnessed = await askWitnesses(this.platform, this.policy);
    await lockRegistryShared(tx);
    const registry = await readRegistry(tx, this.policy.roots);
    refuseIfSetBack(witnessed, registry.reAnchors, this.policy.whenWitnessesAreAway);
    const verified = await this.judge(tx, registry, demand);
    for (const good of [verified.request, ...verified.approvals]) {
      if (!(await useNonce(tx, good, demand.owner))) await this.refuse(demand, replayed(good));
      await recordAuditEvent(tx, used(good, demand.owner));
    }
    return verified;
  }

  /** The same in a transaction of its own, for what is done elsewhere or was only asked for yet. */
  verifyAlone(demand: Demand): Promise<Verified> {
    return inTransaction(this.platform, (tx) => this.verify(tx, demand));
  }

  /**
   * For a change in the application's database, which has no transaction in common with the registry. `admit` uses the nonce up in
   * the control plane, for this operation, then holds the registry until `work` has ended, looks once more, and uses the nonce up
   * in the change's own transaction: docs/decisions/signed-intents.md.
   */
  async during<T>(work: (admit: Admit) => Promise<T>): Promise<T> {
    const held = new HeldRegistry(this.platform);
    try {
      return await work(async (tx, demand) => {
        await this.verifyAlone(demand);
        const reader: PoolClient = await held.take();
        const verified = await this.judge(reader, await readRegistry(reader, this.policy.roots), demand);
        for (const good of [verified.request, ...verified.approvals])
          if (!(await useNonce(tx, good, demand.owner))) await this.refuse(demand, replayed(good));
        return verified;
      });
    } finally {
      await held.release();
    }
  }

  /** Decides about a demand by what the database says now. */
  private async judge(tx: ClientBase, registry: Registry, demand: Demand): Promise<Verified> {
    const now = await databaseTime(tx);
    const good = async (signed: unknown, expected: Expected): Promise<GoodIntent> => {
      const owner = await this.usedBy(tx, signed);
      const checked = checkIntent(signed, expected, {
        registry,
        now,
        maxLifetimeMs: this.policy.intentLifetimeMs,
        usedInTime: owner === demand.owner,
      });
      if (checked.kind === 'refused') return this.refuse({ ...demand, signed, expected }, checked.refusal);
      if (owner !== undefined && owner !== demand.owner) return this.refuse(demand, replayed(checked));
      return checked;
    };
    const request = await good(demand.signed, demand.expected);
    const { approvals } = demand;
    if (approvals === undefined) return { request, approvals: [] };
    const given: GoodIntent[] = [];
    for (const signed of approvals.signed) given.push(await good(signed, approvals.expected));
    const missing = missingApprovals(request, given, approvals.needed);
    if (missing !== undefined) return this.refuse(demand, missing);
    return { request, approvals: given };
  }

  private async usedBy(tx: ClientBase, signed: unknown): Promise<string | undefined> {
    const parsed = signedIntentSchema.safeParse(signed);
    const intent = parsed.success ? parseIntent(parsed.data.intent) : undefined;
    return intent === undefined ? undefined : ownerOfNonce(tx, intent.nonce);
  }

  /** In the audit log whatever becomes of the transaction; the same refusal of the same intent once. */
  private async refuse({ signed, expected, owner }: Demand, refusal: IntentRefusal): Promise<never> {
    const claimed = claimOf(signed);
    const action = [expected.action].flat().join(' or ');
    await recordAuditEvent(this.platform, {
      id: `intent-refused/${sha256(`${owner}/${action}/${refusal.code}/${claimed?.intent ?? ''}`)}`,
      actor: UNPROVED.has(refusal.code) ? 'unknown' : (claimed?.operator ?? 'unknown'),
      action: 'operators.intent-refused',
      tenant: expected.tenant,
      object: action,
      outcome: refusal.code,
      request: owner,
      run: askedBy().run,
      details: { nonce: claimed?.nonce, claimed: claimed?.operator },
    });
    throw new IntentRefusedError(refusal, { action, tenant: expected.tenant });
  }
}

/** Refusals before it is known that the operator named has signed it: a forger must not put his act on somebody else. */
const UNPROVED: ReadonlySet<IntentRefusal['code']> = new Set([
  'INTENT_MISSING',
  'INTENT_INVALID',
  'OPERATOR_UNKNOWN',
]);

function replayed({ intent }: GoodIntent): IntentRefusal {
  return {
    code: 'INTENT_REPLAYED',
    message: `This intent of ${intent.operator} was used before, by another operation.`,
    hint: 'An intent is good once. Sign a new one, and find out who has sent it again.',
  };
}

function used({ intent, fingerprint, signed }: GoodIntent, owner: string) {
  return {
    id: `intent-used/${intent.nonce}`,
    actor: intent.operator,
    action: 'operators.intent-used',
    tenant: intent.tenant,
    object: intent.action,
    outcome: 'ok',
    request: owner,
    run: askedBy().run,
    details: { nonce: intent.nonce, key: fingerprint, sha256: sha256(signed.intent) },
  };
}

/** What an intent that may be forged says of itself, for the audit log alone. */
function claimOf(
  signed: unknown,
): { readonly intent: string; readonly operator: string; readonly nonce: string } | undefined {
  const parsed = signedIntentSchema.safeParse(signed);
  const intent: SignedIntent | undefined = parsed.success ? parsed.data : undefined;
  const claimed = intent && parseIntent(intent.intent);
  return intent && claimed && { intent: intent.intent, operator: claimed.operator, nonce: claimed.nonce };
}

async function databaseTime(tx: ClientBase): Promise<string> {
  const { rows } = await tx.query<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return rows[0]?.now ?? '';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
