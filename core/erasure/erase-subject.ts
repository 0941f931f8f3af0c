import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { ErasureConfig } from '../../config';
import { inTransaction } from '../../database';
import { recordAuditEvent } from '../audit';
import { LegalHoldError } from './errors/legal-hold-error';
import { type Decision, lockTenant, type Registered, registerErasure, standingHold } from './register';
import type { ErasedRows, ErasuresOfTenant } from './types';

export interface EraseRequest extends Decision {
  readonly tenant: string;
  /** Names the person, such as by an e-mail address. */
  readonly subject: string;
}

/** Erases the rows of the application's database; core/recovery knows whose rows are whose. */
export interface RowEraser {
  /** Throws while the tenant is being restored: its rows stand still, and what is staged would have to be staged again. */
  requireIdle(tenant: string): Promise<void>;
  /** In one transaction; @returns when it had committed, by that database's clock. */
  eraseRows(found: ErasuresOfTenant): Promise<{ readonly at: string; readonly rows: readonly ErasedRows[] }>;
}

export interface ErasureReport {
  readonly id: string;
  readonly tenant: string;
  readonly erasedAt: string;
  /** Of the application's database. */
  readonly rows: readonly ErasedRows[];
  /** Of the audit log, whose personal data went. */
  readonly auditEvents: number;
  /** `YYYY-MM-DD`: from then on no backup holds the data. */
  readonly backupsExpireOn: string;
  /** In the audit log; its receipt proves the erasure. */
  readonly eventId: string;
  /** With it the person can check that the receipt is about them; hex. */
  readonly proofSalt: string;
}

/**
 * Erases a person's data of one tenant. What was begun by an earlier call is ended.
 *
 * @throws LegalHoldError, ErasureRuleError, RestoreInProgressError
 */
export async function eraseSubject(
  platform: Pool,
  rows: RowEraser,
  { backupRetention }: Pick<ErasureConfig, 'backupRetention'>,
  request: EraseRequest,
): Promise<ErasureReport> {
  const { tenant, subject } = request;
  await rows.requireIdle(tenant);
  const registered = await registerErasure(platform, tenant, subject, request);
  const erased = await rows.eraseRows({ tenant, salt: registered.salt, erasures: [registered] });
  return finish(platform, registered, request, erased, backupRetention);
}

/** The audit log's side and the event, in one transaction. */
function finish(
  platform: Pool,
  { id, tenant, subjectHash, proofSalt }: Registered,
  { subject, by, reason }: EraseRequest,
  erased: Awaited<ReturnType<RowEraser['eraseRows']>>,
  backupRetention: number,
): Promise<ErasureReport> {
  return inTransaction(platform, async (tx) => {
    await lockTenant(tx, tenant);
    // One that was placed meanwhile: the application's rows are gone, and the rest waits for its end.
    const hold = await standingHold(tx, tenant, subjectHash);
    if (hold !== undefined) throw new LegalHoldError(hold);
    const { rowCount } = await tx.query(
      `update chronawflow.audit_personal set subject = null, salt = null, data = null, erased_by = $3
        where tenant = $1 and subject = $2 and erased_by is null`,
      [tenant, subject, id],
    );
    const eventId = `erasure/${id}`;
    const { rows } = await tx.query<{ day: string }>(
      `update chronawflow.erasure set erased_at = $2::timestamptz, event_id = $3 where id = $1
        returning to_char((clock_timestamp() + $4 * interval '1 millisecond' + interval '1 day') at time zone 'utc', 'YYYY-MM-DD') as day`,
      [id, erased.at, eventId, backupRetention],
    );
    const backupsExpireOn = rows[0]?.day ?? '';
    const auditEvents = rowCount ?? 0;
    await recordAuditEvent(tx, {
      id: eventId,
      ...{ actor: by, action: 'erasure', tenant, object: id, outcome: 'ok', reason },
      details: {
        subjectSha256: commitment(proofSalt, subject),
        rows: Object.fromEntries(erased.rows.map(({ table, rows: count }) => [table, count])),
        auditEvents,
        backupsExpireOn,
      },
    });
    return {
      ...{ id, tenant, erasedAt: erased.at, rows: erased.rows, auditEvents, backupsExpireOn, eventId },
      proofSalt: proofSalt.toString('hex'),
    };
  });
}

/** What the erasure's event says about the person; hex. */
export function commitment(proofSalt: Buffer, subject: string): string {
  return createHash('sha256').update(proofSalt).update(subject).digest('hex');
}
