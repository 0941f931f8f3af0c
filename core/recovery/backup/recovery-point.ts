import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { InvalidInputError } from '../../errors';
import type { RecoveryContext, StepControl } from '../engine';
import { waitUntilArchived, writeFence } from '../target/fence';
import { formatInstant, micros } from '../target/instant.pure';
import { readServerPosition } from '../target/server-position';
import { backupProvider } from './backup-provider';
import { restorePointName } from './restore-point-name.pure';

export type RecoveryPointKind = 'full' | 'differential' | 'incremental' | 'named';

export interface NewRecoveryPoint {
  /** Derived from whatever asks for it: a second call with the same ID gives the same point. */
  readonly id: string;
  readonly kind: RecoveryPointKind;
  /** For `point:<name>`; unique. */
  readonly name: string;
  readonly createdBy: string;
  readonly reason?: string;
  readonly workflowId?: string;
}

export interface RecoveryPoint extends NewRecoveryPoint {
  readonly systemId: string;
  readonly timeline: number;
  /** End of its record in the WAL. */
  readonly lsn: string;
  /** When it was made, by the application database's clock. */
  readonly at: string;
  /** Label of the backup that was made with it. */
  readonly backupLabel?: string;
}

/**
 * Makes a backup where the kind asks for one, then marks the place in the WAL by a restore point of PostgreSQL, waits
 * until that is archived, and records it. What is recorded can be restored to: `point:<name>`.
 */
export async function createRecoveryPoint(
  ctx: RecoveryContext,
  request: NewRecoveryPoint,
  control: StepControl,
): Promise<RecoveryPoint> {
  const known = await findPoint(ctx.platform, request);
  if (known !== undefined) return known;
  const provider = backupProvider(ctx.config.application.backup);
  const backupLabel =
    request.kind === 'named'
      ? undefined
      : await provider.backup({ kind: request.kind, pointId: request.id }, control);
  const mark = await markWal(ctx, request.name);
  await waitUntilArchived(ctx, provider, mark.systemId, mark.segment, control);
  await ctx.platform.query(
    `insert into chronawflow.recovery_point
       (id, kind, name, system_id, timeline, lsn, at, backup_label, fence, created_by, reason, workflow_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     on conflict do nothing`,
    [
      request.id,
      request.kind,
      request.name,
      mark.systemId,
      mark.timeline,
      mark.lsn,
      mark.at,
      backupLabel ?? null,
      mark.token,
      request.createdBy,
      request.reason ?? null,
      request.workflowId ?? null,
    ],
  );
  const point = await findPoint(ctx.platform, request);
  if (point === undefined)
    throw new TypeError(`recovery point ${request.id} is gone right after it was recorded`);
  return point;
}

/** Newest first. */
export async function listRecoveryPoints(ctx: RecoveryContext): Promise<RecoveryPoint[]> {
  const { rows } = await ctx.platform.query<Row>(`${SELECT} order by at desc, id`);
  return rows.map(fromRow);
}

interface Mark {
  readonly systemId: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly at: string;
  readonly token: string;
  readonly segment: string;
}

/** The fence comes second: recovery to a name needs no later commit, but its segment has to be closed to be archived. */
async function markWal(ctx: RecoveryContext, name: string): Promise<Mark> {
  const token = randomUUID();
  const { rows } = await ctx.application.query<{ lsn: string; at: string }>(
    `select pg_create_restore_point($1)::text as lsn,
            to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
    [restorePointName(name, token)],
  );
  const server = await readServerPosition(ctx.application);
  const { segment } = await writeFence(ctx.application, token);
  return {
    systemId: server.systemId,
    timeline: server.timeline,
    lsn: rows[0]?.lsn ?? '',
    at: rows[0]?.at ?? formatInstant(server.now),
    token,
    segment,
  };
}

interface Row {
  readonly id: string;
  readonly kind: RecoveryPointKind;
  readonly name: string;
  readonly system_id: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly at_us: string;
  readonly backup_label: string | null;
  readonly created_by: string;
  readonly reason: string | null;
  readonly workflow_id: string | null;
}

const SELECT = `
  select id, kind, name, system_id, timeline, lsn::text as lsn, backup_label, created_by, reason, workflow_id,
         (extract(epoch from at) * 1000000)::bigint::text as at_us
    from chronawflow.recovery_point`;

/** @throws InvalidInputError when the name belongs to another point. */
async function findPoint(platform: Pool, { id, name }: NewRecoveryPoint): Promise<RecoveryPoint | undefined> {
  const { rows } = await platform.query<Row>(`${SELECT} where id = $1 or name = $2`, [id, name]);
  const own = rows.find((row) => row.id === id);
  if (own !== undefined) return fromRow(own);
  if (rows.length === 0) return undefined;
  throw new InvalidInputError(`there is already a recovery point named '${name}'`, {
    hint: 'Choose another name; `chronawflow recovery points` lists those that exist.',
    details: { name, id: rows[0]?.id },
  });
}

function fromRow(row: Row): RecoveryPoint {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    systemId: row.system_id,
    timeline: row.timeline,
    lsn: row.lsn,
    at: formatInstant(micros(BigInt(row.at_us))),
    createdBy: row.created_by,
    ...(row.backup_label === null ? {} : { backupLabel: row.backup_label }),
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.workflow_id === null ? {} : { workflowId: row.workflow_id }),
  };
}
