import { readFile } from 'node:fs/promises';
import { messageOf } from '../../errors';
import { backupProvider } from '../backup/backup-provider';
import { formatLsn, type Lsn, parseLsn, parseSegment, segmentNumber } from '../backup/segment.pure';
import { type Lineage, lineageOf, timelineAt } from '../backup/timeline.pure';
import type { RecoveryContext, StepControl } from '../engine';
import { ScratchInvalidError } from '../errors/scratch-invalid-error';
import type { ResolvedTarget, ScratchHandle, ScratchValidation } from '../types';
import { connectScratch } from './connect-scratch';
import { type RecoveryLog, readRecoveryLog } from './recovery-log.pure';
import { pathsIn } from './scratch-paths.pure';

interface Facts {
  readonly in_recovery: boolean;
  readonly pause_state: string;
  readonly replay_lsn: string;
  readonly last_commit: string | null;
  readonly system_id: string;
  readonly segment_bytes: string;
  readonly relations: number;
}

/** Looks at the running server itself: is this the cluster, the timeline and the point that were asked for? */
export async function validateScratch(
  ctx: RecoveryContext,
  scratch: ScratchHandle,
  target: ResolvedTarget,
  control: StepControl,
): Promise<ScratchValidation> {
  const log = readRecoveryLog(await readFile(pathsIn(scratch.directory).serverLog, 'utf8'));
  const facts = await readFacts(scratch);
  const provider = backupProvider(ctx.config.application.backup);
  const history = await provider.history(target.systemId, target.timeline, control);
  const lineage = lineageOf(target.timeline, history);
  const problems = problemsOf(facts, log, target, lineage);
  if (problems.length > 0) throw new ScratchInvalidError(scratch.restoreId, problems);
  return {
    timeline: timelineAt(lineage, before(facts.replay_lsn)),
    replayLsn: facts.replay_lsn,
    ...(facts.last_commit === null ? {} : { lastCommit: facts.last_commit }),
    stoppedBecause: log.stoppedBecause ?? '',
  };
}

function problemsOf(facts: Facts, log: RecoveryLog, target: ResolvedTarget, lineage: Lineage): string[] {
  const problems: string[] = [];
  if (facts.system_id !== target.systemId) {
    problems.push(`its system identifier is ${facts.system_id}, not ${target.systemId}`);
  }
  if (!facts.in_recovery || facts.pause_state !== 'paused') {
    problems.push(`it is not paused in recovery (${facts.in_recovery ? facts.pause_state : 'promoted'})`);
  }
  if (log.stoppedBecause === undefined) problems.push('its log does not say that the target was reached');
  if (
    target.kind === 'time' &&
    facts.last_commit !== null &&
    target.at !== undefined &&
    facts.last_commit > target.at
  ) {
    problems.push(`it holds a commit of ${facts.last_commit}, later than ${target.at}`);
  }
  const wrong = wrongTimeline(facts, log, lineage);
  if (wrong !== undefined) problems.push(wrong);
  if (facts.relations === 0) problems.push('its catalog lists no table');
  return problems;
}

/** The last segment that was fetched has to be the lineage's own, not one of a branch that was abandoned. */
function wrongTimeline(facts: Facts, log: RecoveryLog, lineage: Lineage): string | undefined {
  const segmentBytes = Number(facts.segment_bytes);
  const last = log.fetched.at(-1);
  const segment = last === undefined ? undefined : parseSegment(last, segmentBytes);
  if (segment === undefined) return undefined;
  const replayed = before(facts.replay_lsn);
  if (segment.number < segmentNumber(replayed, segmentBytes)) {
    return `it replayed up to ${formatLsn(replayed)}, but the last WAL it fetched is ${last}`;
  }
  const owner = lineage.findLast((part) => segment.number >= segmentNumber(part.start, segmentBytes));
  return owner?.timeline === segment.timeline
    ? undefined
    : `it followed timeline ${segment.timeline} where timeline ${owner?.timeline ?? 'none'} was asked for`;
}

/** The last byte that was replayed: at a switch of timelines the position itself belongs to the next one. */
function before(lsn: string): Lsn {
  return (parseLsn(lsn) - 1n) as Lsn;
}

async function readFacts(scratch: ScratchHandle): Promise<Facts> {
  const pool = connectScratch(scratch, { max: 1 });
  try {
    const { rows } = await pool.query<Facts>(`
      select pg_is_in_recovery() as in_recovery,
             pg_get_wal_replay_pause_state() as pause_state,
             pg_last_wal_replay_lsn()::text as replay_lsn,
             to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as last_commit,
             (select system_identifier::text from pg_control_system()) as system_id,
             (select setting from pg_settings where name = 'wal_segment_size') as segment_bytes,
             (select count(*)::int from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid
               where c.relkind in ('r', 'p')) as relations`);
    const facts = rows[0];
    if (facts === undefined) throw new TypeError('a select without from gave no row');
    return facts;
  } catch (error) {
    throw new ScratchInvalidError(scratch.restoreId, [`it cannot be read (${messageOf(error)})`]);
  } finally {
    await pool.end();
  }
}
