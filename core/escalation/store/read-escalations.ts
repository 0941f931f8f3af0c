import type { Pool } from 'pg';
import { EscalationNotFoundError } from '../errors/escalation-not-found-error';
import type { EscalationRecord } from '../types';

const RECORD = `
select e.id, e.workflow_id as "workflowId", e.severity, e.summary, e.runbook, e.labels, e.source, e.state, e.level, e.times,
  e.by, e.opened_at as "openedAt", e.ended_at as "endedAt",
  (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('level', p.level, 'kind', p.kind, 'state', p.state,
      'at', p.at, 'note', p.note)) order by p.step, p.channel), '[]')
    from chronawflow.escalation_page p where p.escalation = e.id) as pages
from chronawflow.escalation e`;

type Row = Omit<EscalationRecord, 'by' | 'runbook' | 'endedAt'> & {
  readonly by: string | null;
  readonly runbook: string | null;
  readonly endedAt: string | null;
};

/** Escalations that are under way; with `all` also the last that ended. The newest first. */
export async function readEscalations(
  platform: Pool,
  { all = false, limit = 100 }: { readonly all?: boolean; readonly limit?: number } = {},
): Promise<EscalationRecord[]> {
  const { rows } = await platform.query<Row>(
    `${RECORD} where $1 or e.ended_at is null order by e.opened_at desc limit $2`,
    [all, limit],
  );
  return rows.map(recordOf);
}

/** @throws EscalationNotFoundError */
export async function readEscalation(platform: Pool, id: string): Promise<EscalationRecord> {
  const { rows } = await platform.query<Row>(`${RECORD} where e.id = $1`, [id]);
  const [row] = rows;
  if (row === undefined) throw new EscalationNotFoundError(id);
  return recordOf(row);
}

function recordOf({ by, runbook, endedAt, ...row }: Row): EscalationRecord {
  return {
    ...row,
    ...(by === null ? {} : { by }),
    ...(runbook === null ? {} : { runbook }),
    ...(endedAt === null ? {} : { endedAt }),
  };
}
