import { join } from 'node:path';
import { Pool } from 'pg';
import { ErasureClient } from '../../client/erasure';
import { OperatorSigning } from '../../client/operator-signing';
import { findPostgresBin, serverStatus, startServer, stopServer } from '../../core/cluster';
import { verifyBackup } from '../../core/recovery/backup';
import { type RestoredCluster, restoreCluster } from '../../core/recovery/cluster-restore';
import type { RecoveryContext } from '../../core/recovery/engine';
import { removeScratch, restoreScratch, validateScratch } from '../../core/recovery/scratch';
import { parseTarget, resolveTarget } from '../../core/recovery/target';
import { until } from '../support/until';
import { databaseTime, type NotesApplication, notesIn, quiet, startNotes } from './recovery-fixture';

let notes: NotesApplication;
const pools: Pool[] = [];
const clusters: RestoredCluster[] = [];

beforeAll(async () => {
  notes = await startNotes({
    schema: (db) =>
      db.query(`create table tenants (id text primary key); insert into tenants values ('acme');
        create table person (tenant_id text references tenants, email text); insert into person values ('acme', 'ada@example.org'), ('acme', 'b')`),
    config: {
      tenancy: { table: 'public.tenants', overrides: { 'public.note': { mode: 'shared' } } },
      erasure: {
        backupRetention: '30d',
        tables: { 'public.person': { subject: 'email', set: { email: null } } },
      },
    },
  });
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  for (const { dataDirectory } of clusters) await stopServer({ dataDirectory, mode: 'immediate' });
  await notes?.stop();
});

function connect(cluster: RestoredCluster, user: string): Pool {
  const pool = new Pool({
    host: cluster.socketDirectory,
    port: cluster.port,
    database: notes.ctx.config.application.database.database,
    user,
    options: '-c TimeZone=UTC',
  });
  pool.on('error', () => undefined);
  pools.push(pool);
  return pool;
}

async function restored(name: string, at: string, promote: boolean): Promise<RestoredCluster> {
  const target = await notes.resolve(at);
  const into = join(notes.app.directory, name);
  const cluster = await restoreCluster(notes.ctx, { restoreId: name, target, into, promote }, quiet);
  clusters.push(cluster);
  return cluster;
}

const ENDS = (key: string) => `
  insert into chronawflow.idempotency (tenant, scope, key, fingerprint, state, owner, lease_until, completed_at)
  values ('acme', 'job ["pay","${key}"]', 'post', '', 'completed', 'o ${key}', now(), clock_timestamp());
  update chronawflow.job set state = 'done', owner = 'o ${key}', finished_at = clock_timestamp() where key = '${key}'`;

/** Both jobs are submitted at first; a call ends one of them. */
async function jobDone(key: string): Promise<void> {
  await notes.app.superuser.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, run_at)
     select 'acme', 'pay', k, 'f', '{}', 3, now() from unnest('{before,after}'::text[]) k on conflict do nothing`,
  );
  await notes.app.superuser.query(ENDS(key));
}

test('22: a whole cluster is restored beside the running one, and takes writes when it was promoted', async () => {
  await notes.write(1);
  await jobDone('before');
  const at = await notes.write(2);
  await notes.write(3);
  await jobDone('after');
  const signing = new OperatorSigning(notes.ctx.config, notes.ctx.platform, undefined);
  await new ErasureClient(notes.ctx.config, notes.ctx.platform, notes.ctx.application, signing).erase({
    ...{ tenant: 'acme', subject: 'ada@example.org', reason: 'asked to' },
  });
  const cluster = await restored('promoted', at, true);
  expect(cluster).toMatchObject({ promoted: true, validation: { timeline: 1 } });
  const pool = connect(cluster, 'postgres');
  await pool.query('insert into public.note values (99)');
  const { rows } = await pool.query<{ id: number }>('select id from public.note order by id');
  expect(rows.map((row) => row.id)).toEqual([1, 2, 99]);
  // The call that job `after` made outside is not made again by itself.
  expect(cluster.completedSince).toMatchObject({
    jobs: 1,
    steps: 1,
    requests: 0,
    first: [
      { tenant: 'acme', kind: 'step', key: 'after', step: 'post' },
      { tenant: 'acme', kind: 'job', type: 'pay', key: 'after' },
    ],
  });
  // Nor does who was erased meanwhile come back (core/erasure/README.md, invariant 4).
  expect(cluster.erased).toEqual({ erasures: 1, rows: 1 });
  expect((await pool.query('select email from person order by 1')).rows).toEqual([
    { email: 'b' },
    { email: null },
  ]);
  const jobs = await pool.query('select key, state from chronawflow.job order by key');
  expect(jobs.rows).toEqual([
    { key: 'after', state: 'waiting' },
    { key: 'before', state: 'done' },
  ]);
  const holds = await pool.query('select tenant, type, held_by from chronawflow.job_hold');
  expect(holds.rows).toEqual([{ tenant: '', type: '', held_by: 'chronawflow' }]);
  const settings = await pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings
      where name in ('archive_mode', 'fsync', 'full_page_writes', 'listen_addresses', 'max_logical_replication_workers') order by name`,
  );
  expect(settings.rows.map((row) => row.setting)).toEqual(['off', 'on', 'on', '', '0']);

  const target = await notes.resolve(at);
  const again = { restoreId: 'promoted', target, into: join(notes.app.directory, 'promoted'), promote: true };
  expect(await restoreCluster(notes.ctx, again, quiet)).toEqual(cluster);
  await expect(
    restoreCluster(
      notes.ctx,
      { ...again, into: notes.app.config.application.backup.scratchDirectory },
      quiet,
    ),
  ).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('21: a time that two timelines have asks which one is meant, and each gives its own rows', async () => {
  const shared = await databaseTime(notes.app);
  await notes.write(4);
  const successor = await restored('successor', shared, false);
  await archiving(successor);
  const superuser = connect(successor, 'postgres');
  await superuser.query('select pg_promote()');

  // Both clusters go on, as after a failover that did not stop the old primary.
  await superuser.query('insert into public.note values (1000)');
  await notes.write(5);
  const { rows } = await superuser.query<{ now: string }>('select clock_timestamp()::text as now');
  const both = rows[0]?.now ?? '';
  await superuser.query('insert into public.note values (1001)');
  await notes.write(6);
  await notes.app.archiveNow();

  const ctx: RecoveryContext = { ...notes.ctx, application: connect(successor, 'chronawflow') };
  const resolve = (text: string, timeline?: number) =>
    resolveTarget(ctx, parseTarget(text), { timeline }, quiet);
  await expect(resolve(both)).rejects.toMatchObject({
    code: 'TARGET_TIMELINE_AMBIGUOUS',
    details: { timelines: [1, 2] },
  });

  const rowsAt = async (text: string, timeline?: number): Promise<number[]> => {
    const target = await resolve(text, timeline);
    await verifyBackup(ctx, target, quiet);
    const restoreId = `timeline-${timeline}`;
    const scratch = await restoreScratch(ctx, restoreId, target, quiet);
    expect((await validateScratch(ctx, scratch, target, quiet)).timeline).toBe(timeline ?? 2);
    const found = await notesIn(scratch);
    await removeScratch(ctx, restoreId);
    return found;
  };
  expect(await rowsAt(both, 1)).toEqual([1, 2, 3, 4, 5]);
  expect(await rowsAt(both, 2)).toEqual([1, 2, 3, 1000]);
  expect(await rowsAt(shared)).toEqual([1, 2, 3]);
});

/** Starts the paused cluster again with archiving into the same stanza: it becomes the next primary. */
async function archiving(cluster: RestoredCluster): Promise<void> {
  const bin = await findPostgresBin();
  const { repository } = notes.app;
  const { dataDirectory, socketDirectory, port } = cluster;
  await stopServer({ dataDirectory });
  await startServer({
    bin,
    dataDirectory,
    socketDirectory,
    port,
    logFile: join(dataDirectory, '..', 'log', 'successor.log'),
    settings: {
      archive_mode: 'on',
      archive_command: `${repository.program} --config=${repository.configFile} --stanza=app --pg1-path=${dataDirectory} archive-push %p`,
    },
  });
  await until(async () => {
    const status = await serverStatus(dataDirectory);
    return status.kind === 'running' && status.ready;
  });
  const pool = connect(cluster, 'postgres');
  await until(async () => {
    const { rows } = await pool.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state');
    return rows[0]?.state === 'paused';
  });
}
