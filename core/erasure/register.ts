import { createHash, randomBytes } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { ADVISORY_LOCKS, inTransaction } from '../../database';
import { recordAuditEvent } from '../audit';
import { LegalHoldError } from './errors/legal-hold-error';
import type { Erasure, ErasuresOfTenant, LegalHold } from './types';

/** Who decided, and why; it stands in the audit log. */
export interface Decision {
  readonly by: string;
  readonly reason: string;
  /** Called in the control plane's transaction that makes the change; what it throws ends it. */
  readonly authorize?: (tx: ClientBase) => Promise<unknown>;
}

export interface Registered extends Erasure {
  readonly tenant: string;
  readonly salt: Buffer;
  readonly proofSalt: Buffer;
}

/** What names a person without their name. */
export function subjectHash(salt: Buffer, subject: string): Buffer {
  return createHash('sha256').update(salt).update(subject).digest();
}

/**
 * Registers an erasure, or finds the one that was begun and not ended.
 *
 * @throws LegalHoldError
 */
export function registerErasure(
  platform: Pool,
  tenant: string,
  subject: string,
  { by, reason, authorize }: Decision,
): Promise<Registered> {
  return inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    const salt = await lockTenant(tx, tenant);
    const hash = subjectHash(salt, subject);
    const hold = await standingHold(tx, tenant, hash);
    if (hold !== undefined) throw new LegalHoldError(hold);
    await tx.query(
      `insert into chronawflow.erasure (tenant, subject_hash, proof_salt, requested_by, reason) values ($1, $2, $3, $4, $5)
       on conflict (tenant, subject_hash) where erased_at is null do nothing`,
      [tenant, hash, randomBytes(32), by, reason],
    );
    const { rows } = await tx.query<{ id: string; proof_salt: Buffer }>(
      'select id, proof_salt from chronawflow.erasure where tenant = $1 and subject_hash = $2 and erased_at is null',
      [tenant, hash],
    );
    const [row] = rows;
    if (row === undefined) throw new RangeError('the erasure that was registered is not there');
    return { id: row.id, tenant, salt, subjectHash: hash, proofSalt: row.proof_salt };
  });
}

/** A tenant's erasures; undefined when there were none. */
export async function readErasures(platform: Pool, tenant: string): Promise<ErasuresOfTenant | undefined> {
  const [found] = await readAllErasures(platform, tenant);
  return found;
}

/** Of all tenants that have any, or of one. */
export async function readAllErasures(platform: Pool, tenant?: string): Promise<ErasuresOfTenant[]> {
  const { rows } = await platform.query<{
    tenant: string;
    salt: Buffer;
    id: string;
    subject_hash: Buffer;
    erased_at: string | null;
  }>(
    `select e.tenant, s.salt, e.id, e.subject_hash, e.erased_at::text as erased_at
       from chronawflow.erasure e join chronawflow.erasure_salt s using (tenant)
      where $1::text is null or e.tenant = $1 order by e.tenant, e.id`,
    [tenant ?? null],
  );
  const byTenant = new Map<string, { salt: Buffer; erasures: Erasure[] }>();
  for (const { tenant: of, salt, id, subject_hash, erased_at } of rows) {
    const own = byTenant.get(of) ?? { salt, erasures: [] };
    own.erasures.push({
      id,
      subjectHash: subject_hash,
      ...(erased_at === null ? {} : { erasedAt: erased_at }),
    });
    byTenant.set(of, own);
  }
  return [...byTenant].map(([of, own]) => ({ tenant: of, ...own }));
}

/** Names the last erasure of a tenant; another name later means that there was another one. */
export async function lastErasure(platform: Pool, tenant: string): Promise<string | undefined> {
  const { rows } = await platform.query<{ id: string | null }>(
    'select max(id) as id from chronawflow.erasure where tenant = $1',
    [tenant],
  );
  return rows[0]?.id ?? undefined;
}

/** Forbids erasing the data of a person, or of everybody of the tenant. @returns its ID */
export function placeHold(
  platform: Pool,
  tenant: string,
  subject: string | undefined,
  { by, reason, authorize }: Decision,
): Promise<string> {
  return inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    // What drops a part of the audit log meanwhile ends first, and the next part sees the hold.
    await tx.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.auditRetention]);
    const salt = await lockTenant(tx, tenant);
    const { rows } = await tx.query<{ id: string }>(
      `insert into chronawflow.legal_hold (tenant, subject_hash, placed_by, reason) values ($1, $2, $3, $4) returning id`,
      [tenant, subject === undefined ? null : subjectHash(salt, subject), by, reason],
    );
    const id = rows[0]?.id ?? '';
    const event = { actor: by, action: 'erasure.hold', tenant, object: id, outcome: 'ok', reason };
    await recordAuditEvent(tx, { ...event, id: `erasure/hold/${id}` });
    return id;
  });
}

/** @returns whether there was such a hold that stood */
export function liftHold(platform: Pool, id: string, { by, reason, authorize }: Decision): Promise<boolean> {
  return inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    const { rows } = await tx.query<{ tenant: string }>(
      `update chronawflow.legal_hold set lifted_at = clock_timestamp(), lifted_by = $2
        where id::text = $1 and lifted_at is null returning tenant`,
      [id, by],
    );
    const tenant = rows[0]?.tenant;
    if (tenant === undefined) return false;
    const event = { actor: by, action: 'erasure.lift-hold', tenant, object: id, outcome: 'ok', reason };
    await recordAuditEvent(tx, { ...event, id: `erasure/hold/${id}/lifted` });
    return true;
  });
}

const HOLD = `id, tenant, subject_hash is not null as "ofSubject", placed_by as "placedBy", reason,
  to_char(since at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as since`;

/** Holds that stand, the oldest first. */
export async function listHolds(platform: Pick<ClientBase, 'query'>, tenant?: string): Promise<LegalHold[]> {
  const { rows } = await platform.query<LegalHold>(
    `select ${HOLD} from chronawflow.legal_hold where lifted_at is null and ($1::text is null or tenant = $1) order by id`,
    [tenant ?? null],
  );
  return rows;
}

/** Takes the row that erasures and holds of a tenant take turns on. */
export async function lockTenant(tx: ClientBase, tenant: string): Promise<Buffer> {
  await tx.query(
    'insert into chronawflow.erasure_salt (tenant, salt) values ($1, $2) on conflict do nothing',
    [tenant, randomBytes(32)],
  );
  const { rows } = await tx.query<{ salt: Buffer }>(
    'select salt from chronawflow.erasure_salt where tenant = $1 for update',
    [tenant],
  );
  const salt = rows[0]?.salt;
  if (salt === undefined) throw new RangeError('the salt that was made is not there');
  return salt;
}

export async function standingHold(
  tx: Pick<ClientBase, 'query'>,
  tenant: string,
  hash: Buffer,
): Promise<LegalHold | undefined> {
  const { rows } = await tx.query<LegalHold>(
    `select ${HOLD} from chronawflow.legal_hold
      where tenant = $1 and lifted_at is null and (subject_hash is null or subject_hash = $2) order by id limit 1`,
    [tenant, hash],
  );
  return rows[0];
}
