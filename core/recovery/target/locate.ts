import { restorePointName } from '../backup/restore-point-name.pure';
import { formatLsn, type Lsn, parseLsn } from '../backup/segment.pure';
import type { StopRecord } from '../backup/wal-dump.pure';
import type { RecoveryContext } from '../engine';
import { TargetInFutureError } from '../errors/target-in-future-error';
import { TargetNotFoundError } from '../errors/target-not-found-error';
import type { ResolvedTarget, TargetRequest } from '../types';
import { formatInstant, type Micros, micros, parseInstant } from './instant.pure';
import { findLiveTransaction } from './locate-transaction';
import type { TargetPosition } from './plan-recovery.pure';
import type { ServerPosition } from './server-position';

/** A request matched with what the databases know. Without `position` the archived WAL has to be searched. */
export interface LocatedTarget {
  /** For messages: the target as a person would write it. */
  readonly label: string;
  readonly kind: ResolvedTarget['kind'];
  readonly value: string;
  readonly at?: string;
  readonly position?: TargetPosition;
  readonly matches?: (record: StopRecord) => boolean;
  /** A recovery point knows its own timeline. */
  readonly recorded?: { readonly timeline: number; readonly lsn: Lsn };
}

interface PointRow {
  readonly system_id: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly at_us: string;
  readonly fence: string | null;
}

/** @throws TargetInFutureError, TargetNotFoundError */
export async function locate(
  ctx: RecoveryContext,
  request: TargetRequest,
  server: ServerPosition,
): Promise<LocatedTarget> {
  switch (request.kind) {
    case 'time':
      return atTime(parseInstant(request.at), request.at, server);
    case 'ago':
      return atTime(
        micros(server.now - BigInt(request.microseconds)),
        `${request.microseconds} µs ago`,
        server,
      );
    case 'lsn': {
      const lsn = parseLsn(request.lsn);
      const label = `lsn:${request.lsn}`;
      if (lsn > server.lsn) throw new TargetInFutureError(label, `LSN ${formatLsn(server.lsn)}`);
      return { label, kind: 'lsn', value: request.lsn, position: { kind: 'lsn', lsn } };
    }
    case 'xid': {
      const { xid, at } = await findLiveTransaction(ctx.application, request.xid);
      const label = `xid:${request.xid}`;
      const instant = at === undefined ? undefined : parseInstant(at);
      if (instant !== undefined) {
        return { label, kind: 'xid', value: xid, at, position: { kind: 'time', at: instant } };
      }
      const matches = (record: StopRecord): boolean => record.kind === 'commit' && record.xid === xid;
      return { label, kind: 'xid', value: xid, matches };
    }
    case 'point':
      return atPoint(ctx, request.name, server);
  }
}

function atTime(at: Micros | undefined, text: string, server: ServerPosition): LocatedTarget {
  if (at === undefined) throw new TargetNotFoundError(text, 'it is no time');
  const label = formatInstant(at);
  if (at > server.now) throw new TargetInFutureError(label, formatInstant(server.now));
  return { label, kind: 'time', value: label, at: label, position: { kind: 'time', at } };
}

/** A point that Chronawflow recorded, else a restore point that somebody made in the database itself. */
async function atPoint(ctx: RecoveryContext, name: string, server: ServerPosition): Promise<LocatedTarget> {
  const label = `point:${name}`;
  const { rows } = await ctx.platform.query<PointRow>(
    `select system_id, timeline, lsn::text as lsn, fence,
            (extract(epoch from at) * 1000000)::bigint::text as at_us
       from chronawflow.recovery_point where name = $1`,
    [name],
  );
  const point = rows[0];
  if (point === undefined || point.fence === null) {
    const matches = (record: StopRecord): boolean => record.kind === 'restore-point' && record.name === name;
    return { label, kind: 'name', value: name, matches };
  }
  if (point.system_id !== server.systemId) {
    throw new TargetNotFoundError(
      label,
      `it was made in another cluster (system identifier ${point.system_id})`,
    );
  }
  const lsn = parseLsn(point.lsn);
  return {
    label,
    kind: 'name',
    value: restorePointName(name, point.fence),
    at: formatInstant(micros(BigInt(point.at_us))),
    position: { kind: 'lsn', lsn },
    recorded: { timeline: point.timeline, lsn },
  };
}
