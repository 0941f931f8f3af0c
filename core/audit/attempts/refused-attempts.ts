import type { Pool } from 'pg';
import { type Repeated, repeat } from '../../repeat';
import { recordAuditEvent } from '../event';

export interface RefusedAttemptsOptions {
  /** Default 5 s. */
  readonly everyMs?: number;
  readonly onError?: (error: unknown) => void;
}

/** Of a log that is met for the first time the end is read: so much of it was written while nobody looked. */
const FIRST_LOOK_BYTES = 16 * 1024 * 1024;

interface Attempt {
  readonly session: string | null;
  readonly line: string;
  readonly at: string;
  readonly role: string;
  readonly message: string;
  readonly read: string;
}

/**
 * Records who tried to change the audit log and was refused, from the server's own log (deploy/postgres/refused-attempts.sql). Every
 * worker may do it: a line of the log is one event, whoever reads it. Where the server keeps no such log nothing is done.
 */
export class RefusedAttempts {
  private readonly offsets = new Map<string, number>();
  private readonly looks: Repeated;

  constructor(
    private readonly platform: Pool,
    { everyMs = 5_000, onError }: RefusedAttemptsOptions = {},
  ) {
    this.looks = repeat(everyMs, () => this.readAll(), onError);
  }

  start(): void {
    this.looks.start();
  }

  async close(): Promise<void> {
    await this.looks.stop();
  }

  private async readAll(): Promise<void> {
    if (!(await canRead(this.platform))) return;
    const { rows } = await this.platform.query<{ name: string; size: string }>(
      'select name, size from chronawflow.server_logs()',
    );
    for (const { name, size } of rows) await this.readOne(name, Number(size));
  }

  private async readOne(name: string, size: number): Promise<void> {
    let offset = this.offsets.get(name) ?? Math.max(0, size - FIRST_LOOK_BYTES);
    for (let read = 1; read > 0 && offset < size; offset += read) {
      const { rows } = await this.platform.query<Attempt>(
        'select session, line, at, role, message, read from chronawflow.refused_attempts($1, $2)',
        [name, offset],
      );
      for (const { session, line, at, role, message } of rows) {
        if (session === null) continue;
        await recordAuditEvent(this.platform, {
          id: `audit-change-refused/${session}/${line}`,
          actor: role,
          action: 'audit.change-refused',
          object: / (?:on chronawflow\.|for table )(\w+)/.exec(` ${message}`)?.[1],
          outcome: 'REFUSED',
          details: { message, at },
        });
      }
      read = Number(rows[0]?.read ?? 0);
    }
    this.offsets.set(name, offset);
  }
}

/** Whether `prepare` has installed the functions for this role, and the server writes such a log. */
export async function canRead(platform: Pool): Promise<boolean> {
  const { rows } = await platform.query<{ can: boolean }>(
    `select coalesce(has_function_privilege(to_regprocedure('chronawflow.server_logs()'), 'execute'), false)
        and json as can
       from (select current_setting('logging_collector') = 'on'
          and current_setting('log_destination') like '%jsonlog%' as json) server`,
  );
  return rows[0]?.can ?? false;
}
