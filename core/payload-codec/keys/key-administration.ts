import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database';
import { recordAuditEvent } from '../../audit';
import { InvalidInputError } from '../../errors';
import { workflowIdPart } from '../../workflow-id';
import type { PayloadOwner } from '../types';

/** Whose keys there are; what `chronawflow keys list` shows. */
export interface OwnerKeys {
  /** The tenant's part of its workflow IDs; empty for the platform. */
  readonly owner: PayloadOwner;
  readonly state: 'active' | 'closing' | 'destroyed';
  readonly since: string;
  /** Keys that still decrypt. */
  readonly keys: number;
  readonly newest?: string;
  /** IDs of the key-encryption keys that wrap them: none of these can be given up. */
  readonly wrappedBy: readonly string[];
}

/** Who decided, and why; it stands in the audit log. */
export interface KeyDecision {
  readonly by: string;
  readonly reason: string;
  /** Called in the transaction that makes the change; what it throws ends it. */
  readonly authorize?: (tx: PoolClient) => Promise<unknown>;
}

export interface Destroyed {
  readonly owner: PayloadOwner;
  readonly keys: number;
  /** ISO 8601, by the database's clock. Backups of the control plane from before still have the wrapped keys. */
  readonly at: string;
}

export async function listKeys(platform: Pool, tenant?: string): Promise<OwnerKeys[]> {
  const { rows } = await platform.query<{
    owner: string;
    state: OwnerKeys['state'];
    since: string;
    keys: number;
    newest: string | null;
    wrapped_by: string[];
  }>(
    `select o.owner, o.state, ${isoTime('o.since')} as since, count(k.wrapped)::int as keys, ${isoTime('max(k.created_at)')} as newest,
            coalesce(array_agg(distinct k.wrapped_by) filter (where k.wrapped is not null), '{}') as wrapped_by
       from chronawflow.payload_owner o left join chronawflow.payload_key k using (owner)
      where $1::text is null or o.owner = $1
      group by o.owner order by o.owner collate "C"`,
    [tenant === undefined ? null : workflowIdPart(tenant)],
  );
  return rows.map(({ newest, wrapped_by, ...row }) => ({
    ...row,
    ...(newest === null ? {} : { newest }),
    wrappedBy: wrapped_by,
  }));
}

/** Has the tenant's next payload make a new key; the old ones go on decrypting. */
export async function retireKeys(
  platform: Pool,
  tenant: string,
  { by, reason, authorize }: KeyDecision,
): Promise<void> {
  const owner = workflowIdPart(tenant);
  await inTransaction(platform, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `update chronawflow.payload_key set retired_at = clock_timestamp()
        where owner = $1 and retired_at is null and wrapped is not null returning id`,
      [owner],
    );
    if (rows.length === 0) throw noKeys(tenant);
    await authorize?.(tx);
    const event = { actor: by, action: 'payload-keys.rotate', tenant, outcome: 'ok', reason };
    await recordAuditEvent(tx, { ...event, id: `payload-keys/${owner}/rotate/${rows[0]?.id}` });
  });
}

/** From now on nothing new starts for the tenant; what runs can go on to its end. */
export async function beginDestroying(
  platform: Pool,
  tenant: string,
  { by, reason, authorize }: KeyDecision,
): Promise<void> {
  const owner = workflowIdPart(tenant);
  await inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    const state = await lockOwner(tx, owner);
    if (state === undefined) throw noKeys(tenant);
    if (state === 'destroyed') throw alreadyDestroyed(tenant);
    await tx.query(
      `update chronawflow.payload_owner set state = 'closing', since = clock_timestamp()
        where owner = $1 and state = 'active'`,
      [owner],
    );
    const event = { actor: by, action: 'payload-keys.close', tenant, outcome: 'ok', reason };
    await recordAuditEvent(tx, { ...event, id: `payload-keys/${owner}/close` });
  });
}

/** Makes everything that was encrypted for the tenant unreadable. @throws InvalidInputError unless it is closing */
export async function finishDestroying(
  platform: Pool,
  tenant: string,
  { by, reason, authorize }: KeyDecision,
  ended: number,
): Promise<Destroyed> {
  const owner = workflowIdPart(tenant);
  return inTransaction(platform, async (tx) => {
    await authorize?.(tx);
    const state = await lockOwner(tx, owner);
    if (state === 'destroyed') throw alreadyDestroyed(tenant);
    if (state !== 'closing') {
      throw new InvalidInputError(`The keys of ${tenant} are in use: its workflows have to be ended first.`, {
        hint: 'chronawflow keys destroy does both.',
      });
    }
    const { rowCount } = await tx.query(
      `update chronawflow.payload_key set wrapped = null, destroyed_at = clock_timestamp()
        where owner = $1 and wrapped is not null`,
      [owner],
    );
    const { rows } = await tx.query<{ at: string }>(
      `update chronawflow.payload_owner set state = 'destroyed', since = clock_timestamp() where owner = $1
        returning ${isoTime('since')} as at`,
      [owner],
    );
    const keys = rowCount ?? 0;
    await recordAuditEvent(tx, {
      id: `payload-keys/${owner}/destroy`,
      ...{ actor: by, action: 'payload-keys.destroy', tenant, outcome: 'ok', reason },
      details: { keys, workflowsEnded: ended },
    });
    return { owner, keys, at: rows[0]?.at ?? '' };
  });
}

async function lockOwner(tx: PoolClient, owner: PayloadOwner): Promise<OwnerKeys['state'] | undefined> {
  const { rows } = await tx.query<{ state: OwnerKeys['state'] }>(
    'select state from chronawflow.payload_owner where owner = $1 for update',
    [owner],
  );
  return rows[0]?.state;
}

function noKeys(tenant: string): InvalidInputError {
  return new InvalidInputError(`Tenant ${tenant} has no payload keys.`, { hint: 'chronawflow keys list' });
}

function alreadyDestroyed(tenant: string): InvalidInputError {
  return new InvalidInputError(`The payload keys of ${tenant} were destroyed already.`, {
    hint: 'chronawflow keys list says when.',
  });
}

/** A timestamptz as ISO 8601 with microseconds. */
function isoTime(expression: string): string {
  return `to_char(${expression} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
