import { z } from 'zod';
import type { Assessment, PublishedLevel } from '../published-level';
import type { LevelState } from '../types';
import { MOST_VERSIONS_LEFT_OUT } from '../versions.pure';
import { recentRecoveries } from '../way-back.pure';
import type { Database } from './database';
import { LEVEL_COLUMNS, levelRow, publishedLevel } from './read-levels';

const state = z.looseObject({
  rank: z.number(),
  version: z.number(),
  clockMs: z.number(),
  at: z.number().optional(),
  sinceMs: z.number(),
  calmSinceMs: z.number().optional(),
  recoveries: z.array(z.number()),
  seen: z.array(z.string()),
  override: levelRow.shape.manual.unwrap().optional(),
  readOnly: levelRow.shape.read_only.unwrap().optional(),
  writableSinceMs: z.number().optional(),
});

const assessment = z.object({
  state,
  readings: z.record(z.string(), z.object({ value: z.number(), instances: z.number() })),
});

/** A level with what its controller saw last, as far as this version understands it. */
export interface AssessedLevel extends PublishedLevel {
  readonly assessment: Assessment | undefined;
  /** How long ago its steps back of the last hour were published, in milliseconds; the oldest first. */
  readonly recoveredMsAgo: readonly number[];
}

const row = levelRow.extend({ assessment: z.unknown(), recovered_ms_ago: z.array(z.number()) });

/**
 * The controller's sign of life: from it processes know that somebody watches, and whoever takes over knows where to go on.
 * Makes the scope's row at normal when there is none.
 *
 * @param normal the name of rank 0.
 */
export async function giveSign(
  database: Database,
  scope: string,
  normal: string,
  seen: Assessment | undefined,
): Promise<void> {
  await database.query(
    `insert into chronawflow.degradation_level (scope, version, level, rank, reason, assessment)
     values ($1, 0, $2, 0, 'nothing was decided yet', $3)
     on conflict (scope) do update set heard_at = clock_timestamp(),
       assessment = coalesce(excluded.assessment, degradation_level.assessment)`,
    [scope, normal, seen === undefined ? null : JSON.stringify(seen)],
  );
}

export async function readAssessed(database: Database): Promise<AssessedLevel[]> {
  const { rows } = await database.query(
    `select ${LEVEL_COLUMNS}, assessment,
       array(select extract(epoch from clock_timestamp() - at)::float8 * 1000 from unnest(recovered_at) at
             where at > clock_timestamp() - interval '1 hour' order by at) as recovered_ms_ago
     from chronawflow.degradation_level order by scope`,
  );
  return z
    .array(row)
    .parse(rows)
    .map(({ assessment: kept, recovered_ms_ago: recoveredMsAgo, ...level }) => ({
      ...publishedLevel(level),
      assessment: assessment.safeParse(kept).data,
      recoveredMsAgo,
    }));
}

/**
 * Where a controller that knows nothing goes on: what stands published, with what was last remembered of it. The dwell begins
 * anew, because nobody watched meanwhile; a transition that was decided and not published is decided again.
 */
export function takenUp(initial: LevelState, level: AssessedLevel | undefined): LevelState {
  if (level === undefined) return initial;
  const { assessment: remembered, rank, version, override, readOnly, recoveredMsAgo } = level;
  const before = remembered?.state ?? initial;
  const { calmSinceMs: _, writableSinceMs: __, override: ___, readOnly: ____, ...kept } = before;
  return {
    ...kept,
    rank,
    // What was decided and not published is not decided under the same version again; another's number is believed so far.
    version: Math.min(Math.max(version, before.version), version + MOST_VERSIONS_LEFT_OUT),
    sinceMs: before.clockMs,
    recoveries: stepsTaken(before, recoveredMsAgo),
    ...(override && { override }),
    ...(readOnly && { readOnly }),
  };
}

/**
 * The steps back of the last hour, on the watched clock: those that were published, since the last one may be later than what was
 * remembered; or those that were remembered, where more were before publications were counted.
 */
function stepsTaken(before: LevelState, recoveredMsAgo: readonly number[]): readonly number[] {
  const remembered = recentRecoveries(before);
  return recoveredMsAgo.length < remembered.length
    ? remembered
    : recoveredMsAgo.map((ago) => before.clockMs - ago);
}
