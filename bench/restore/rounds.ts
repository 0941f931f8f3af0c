import type { Pool } from 'pg';
import { until } from '../../test/support/until';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { Bench } from '../support/run-benchmark';
import { restoreWithChronawflow } from './chronawflow-side';
import { harm, type MishapKind } from './mishaps';
import type { Scale } from './scale';
import type { Scene } from './scene';
import { sliceDigest } from './slice-digest';
import type { SideResult } from './step-timer';

export interface Task {
  readonly name: string;
  readonly tenant: string;
  readonly mishap: MishapKind;
}

/** What both sides took for one task, round by round. */
export interface TaskRounds {
  readonly task: Task;
  readonly chronawflow: readonly SideResult[];
  readonly byHand: readonly SideResult[];
}

type SideName = 'chronawflow' | 'byHand';

/**
 * The same harm, done again and again, mended by one side and by the other in turn; who begins changes with the round.
 * After each restore the tenant has to be what it was at the target, and a witness what it was all the time.
 */
export async function runRounds(
  bench: Bench,
  scene: Scene,
  task: Task,
  { rounds, backupForEachTask }: Scale,
): Promise<TaskRounds> {
  const { progress } = bench;
  if (backupForEachTask) await progress.during(`${task.name}: backup`, () => backUp(scene));
  const target = await timeNow(scene);
  const expected = await digests(scene, task.tenant);
  const results: Record<SideName, SideResult[]> = { chronawflow: [], byHand: [] };
  for (let round = 1; round <= rounds; round += 1) {
    const order: readonly SideName[] =
      round % 2 === 1 ? ['byHand', 'chronawflow'] : ['chronawflow', 'byHand'];
    for (const side of order) {
      const what = `${task.name}, round ${round} of ${rounds}`;
      await progress.during(`${what}: harm`, () => doHarm(scene, task));
      const result = await progress.during(`${what}: ${inWords[side]}`, () =>
        side === 'chronawflow'
          ? restoreWithChronawflow(scene, task.tenant, target, task.mishap)
          : scene.byHand.restore(task.tenant, target),
      );
      await progress.during(`${what}: check`, async () => {
        const found = await digests(scene, task.tenant);
        if (found.tenant !== expected.tenant)
          throw notAsBefore(what, side, 'the tenant', expected.tenant, found.tenant);
        if (found.witness !== expected.witness) {
          throw notAsBefore(what, side, 'another tenant', expected.witness, found.witness);
        }
      });
      results[side].push(result);
    }
  }
  return { task, ...results };
}

export const inWords: Readonly<Record<SideName, string>> = {
  chronawflow: 'Chronawflow',
  byHand: 'by hand',
};

/**
 * After each task's backup recovery is short: the WAL of the task before is not replayed again.
 * pgBackRest knows a backup's end to the second only and takes one for a target only when it ended earlier.
 */
export async function backUp({ app, database }: Pick<Scene, 'app' | 'database'>): Promise<void> {
  await database.query('vacuum (analyze)');
  await app.pgBackRest('--type=full', '--repo1-retention-full=1', 'backup');
  await database.query('select pg_sleep(1.1)');
}

/** A target, by the database's clock. */
export async function timeNow({ database }: Pick<Scene, 'database'>): Promise<string> {
  const { rows } = await database.query<{ now: string }>(
    `select to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  const now = rows[0]?.now;
  if (now === undefined) throw new MeasurementInvalidError('the database does not tell the time');
  return now;
}

/** Afterwards the archive is up to date and the server at rest, so that neither side waits for what the harm left. */
export async function doHarm({ database }: Pick<Scene, 'database'>, { tenant, mishap }: Task): Promise<void> {
  await database.query('vacuum (analyze)');
  await harm(database, tenant, mishap);
  await archiveAll(database);
  await database.query('checkpoint');
}

async function archiveAll(database: Pool): Promise<void> {
  const closed = await database.query<{ segment: string }>(
    'select pg_walfile_name(pg_switch_wal()) as segment',
  );
  const segment = closed.rows[0]?.segment ?? '';
  await until(
    async () => {
      const { rows } = await database.query<{ archived: boolean }>(
        'select coalesce(last_archived_wal >= $1, false) as archived from pg_stat_archiver',
        [segment],
      );
      return rows[0]?.archived ?? false;
    },
    { limitMs: 300_000, what: `segment ${segment} in the archive` },
  );
}

async function digests(
  { database, tenants }: Pick<Scene, 'database' | 'tenants'>,
  tenant: string,
): Promise<{ readonly tenant: string; readonly witness: string }> {
  const witness = tenant === tenants.small ? (tenants.bystanders[0] ?? tenants.large) : tenants.small;
  return { tenant: await sliceDigest(database, tenant), witness: await sliceDigest(database, witness) };
}

function notAsBefore(what: string, side: SideName, who: string, expected: string, found: string): Error {
  const before = expected.split(' ');
  const tables = found.split(' ').filter((digest, i) => digest !== before[i]);
  return new MeasurementInvalidError(
    `${what}: after the restore ${inWords[side]}, ${who} is not what it was; rows:hashes now ${tables.join(' ')}`,
  );
}
