import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { recordAuditEvent } from '../../audit';
import { InvalidInputError } from '../../errors';
import { EscalationNotFoundError } from '../errors/escalation-not-found-error';
import { silences } from '../silence.pure';
import type { Silence } from '../types';

export interface NewSilence {
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601; default now. */
  readonly from?: string;
  readonly forMs: number;
  readonly by: string;
  readonly reason: string;
}

/** Begins a maintenance window, now or later. @throws InvalidInputError without a label: that would silence everything */
export async function addSilence(platform: Pool, given: NewSilence): Promise<Silence> {
  const { labels, from, forMs, by, reason } = given;
  if (Object.keys(labels).length === 0)
    throw new InvalidInputError('A silence names at least one label of the alerts that it is about.', {
      hint: '--alert <name>, or --label service=tax',
    });
  const id = `s${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const { rows } = await platform.query<Silence>(
    `insert into chronawflow.escalation_silence (id, labels, starts_at, ends_at, by, reason)
     select $1, $2, at, at + $4 * interval '1 millisecond', $5, $6
     from (select coalesce($3::timestamptz, clock_timestamp()) as at) start
     returning id, labels, starts_at as "from", ends_at as until, by, reason`,
    [id, JSON.stringify(labels), from ?? null, forMs, by, reason],
  );
  const [silence] = rows;
  if (silence === undefined) throw new Error('an insert returned no row');
  await recordAuditEvent(platform, {
    id: `escalation-silence/${id}`,
    actor: by,
    action: 'escalation.silence',
    object: id,
    outcome: 'ok',
    details: { labels, from: silence.from, until: silence.until, reason },
  });
  return silence;
}

/** Ends a silence now. @throws EscalationNotFoundError */
export async function endSilence(platform: Pool, id: string, by: string): Promise<void> {
  const { rowCount } = await platform.query(
    // One that has not begun ends as one that never was.
    `update chronawflow.escalation_silence
     set starts_at = least(starts_at, clock_timestamp() - interval '1 millisecond'), ends_at = clock_timestamp()
     where id = $1 and ends_at > clock_timestamp()`,
    [id],
  );
  if (rowCount !== 1) throw new EscalationNotFoundError(id);
  await recordAuditEvent(platform, {
    id: `escalation-silence/${id}/end`,
    actor: by,
    action: 'escalation.unsilence',
    object: id,
    outcome: 'ok',
  });
}

/** Silences that last or are to come, by their end. */
export async function readSilences(platform: Pool): Promise<Silence[]> {
  const { rows } = await platform.query<Silence>(
    `select id, labels, starts_at as "from", ends_at as until, by, reason from chronawflow.escalation_silence
     where ends_at > clock_timestamp() order by ends_at`,
  );
  return rows;
}

/** Milliseconds that an alert is still silenced; 0 when it is not. */
export async function silencedForMs(
  platform: Pool,
  alert: Readonly<Record<string, string>>,
): Promise<number> {
  const { rows } = await platform.query<{ labels: Record<string, string>; leftMs: number }>(
    `select labels, (extract(epoch from ends_at - clock_timestamp()) * 1000)::float8 as "leftMs"
     from chronawflow.escalation_silence
     where starts_at <= clock_timestamp() and ends_at > clock_timestamp()`,
  );
  return Math.max(0, ...rows.filter(({ labels }) => silences(labels, alert)).map(({ leftMs }) => leftMs));
}
