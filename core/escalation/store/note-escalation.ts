import { askedBy, recordAuditEvent } from '../../audit';
import type { EscalationContext } from '../context';
import type { EscalationReport } from '../types';

const ENDS: ReadonlySet<string> = new Set(['resolved', 'unanswered', 'noted', 'cancelled']);

/** How an escalation stands, in the record and in the audit log. @returns whether it has ended with this */
export async function noteEscalation(
  { platform }: EscalationContext,
  { id, state, by, level, times }: EscalationReport,
): Promise<boolean> {
  const { rows } = await platform.query<{ workflow_id: string; ended: boolean }>(
    `update chronawflow.escalation e set state = $2, by = coalesce($3, by), level = $4, times = $5,
       ended_at = case when $6 then coalesce(e.ended_at, clock_timestamp()) end
     from (select id, ended_at from chronawflow.escalation where id = $1 for update) before
     where e.id = before.id returning e.workflow_id, $6 and before.ended_at is null as ended`,
    [id, state, by ?? null, level, times, ENDS.has(state)],
  );
  const [row] = rows;
  await recordAuditEvent(platform, {
    id: `escalation/${id}/${state}/${level}/${by ?? ''}`,
    actor: by ?? 'chronawflow',
    action: `escalation.${state}`,
    object: id,
    outcome: 'ok',
    request: row?.workflow_id,
    run: askedBy().run,
    details: { level, times },
  });
  return row?.ended === true;
}
