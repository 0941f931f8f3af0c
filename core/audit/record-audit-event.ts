import type { Pool } from 'pg';

/** One thing that somebody did or that happened to a tenant. No row values, no secrets. */
export interface AuditEvent {
  /** Derived from the operation and its step, so that a retried step does not appear twice. */
  readonly id: string;
  /** Who: a person or the component that acted by itself. */
  readonly actor: string;
  /** What, such as `restore.merge`. */
  readonly action: string;
  readonly tenant?: string;
  /** On what: a restore's ID, a recovery point's name. */
  readonly object?: string;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
  /** The workflow that asked. */
  readonly request?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Writes the event into the control plane's insert-only log. The same ID again changes nothing: the first record of an
 * event is the one that counts. The time is the database's own.
 */
export async function recordAuditEvent(pool: Pool, event: AuditEvent): Promise<void> {
  await pool.query(
    `insert into chronawflow.audit_event (id, actor, action, tenant, object, outcome, request, details)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do nothing`,
    [
      event.id,
      event.actor,
      event.action,
      event.tenant ?? null,
      event.object ?? null,
      event.outcome,
      event.request ?? null,
      JSON.stringify(event.details ?? {}),
    ],
  );
}
