import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { RestoreReport } from '../../core/recovery/types';
import {
  AccountingWriter,
  OFFICE_WORK,
  type OfficeWork,
  seededRandom,
  seedOrganisation,
  type WriterStats,
} from '../../examples/accubooks';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';
import type { Bench } from '../support/run-benchmark';
import { mergedReport } from './chronawflow-side';
import { LongTransaction } from './long-transaction';
import { backUp, doHarm, timeNow } from './rounds';
import type { Scale } from './scale';
import type { Scene } from './scene';
import { sliceDigest } from './slice-digest';

export interface PeerResult {
  /** Longest that one write of another tenant took during the restore, from wanting it to its commit. */
  readonly stallMs: number;
  /** The same without a restore, for comparison. */
  readonly controlMs: number;
  readonly commits: number;
  /** By the tenant's own office: from a write's first refusal to its commit, which is tried every 100 ms. */
  readonly frozenMs: number;
  /** By the report. */
  readonly reportedFrozenMs: number;
  readonly report: RestoreReport;
}

const PEERS = 3;
const WRITES_PER_SECOND = 20;
const LIMIT_MS = 120_000;

/**
 * A restore of the large tenant at work: it and three other tenants keep writing, somebody holds a transaction that has
 * read every table, and a further tenant an idle transaction that has written. Freeze after approval, so that the tenant can write
 * until the rows to put back are known.
 *
 * The idle writer is there from the start until some seconds into the freeze: for as long as it is, the freeze cannot be
 * had, and the attempts must not hold up anybody else. The reader comes with the freeze and stays while the rows are
 * merged and the triggers are to be dropped.
 */
export async function restoreAmongPeers(bench: Bench, scene: Scene, scale: Scale): Promise<PeerResult> {
  const { progress, cleanUp } = bench;
  const { database, office, tenants } = scene;
  const tenant = tenants.large;
  const organisations: string[] = [];
  for (let n = 0; n <= PEERS; n += 1) {
    const seeded = await seedOrganisation(
      database,
      { name: `Peer ${n}`, invoices: 40 },
      seededRandom(100 + n),
    );
    organisations.push(seeded.id);
  }
  const [idleId, ...peerIds] = organisations;
  if (scale.backupForEachTask) await progress.during('among peers: backup', () => backUp(scene));
  const target = await timeNow(scene);
  await progress.during('among peers: harm', () =>
    doHarm(scene, { name: '', tenant, mishap: 'five-percent' }),
  );
  const witness = await sliceDigest(database, tenants.small);

  const peers = peerIds.map((id, n) => newWriter(office, id, 200 + n));
  const own = newWriter(office, tenant, 300, alwaysWriting());
  const writers = [...peers, own];
  cleanUp.add(() => Promise.all(writers.map((writer) => writer.stop())));
  for (const writer of writers) writer.start();
  await Promise.all(writers.map((writer) => writer.waitForCommits(20, LIMIT_MS)));
  const controlMs = await progress.during('among peers: writes without a restore', () =>
    longestStall(peers, () => sleep(scale.controlMs, undefined, { signal: bench.signal })),
  );

  const reader = new LongTransaction(office, READ_EVERY_TABLE);
  const idle = new LongTransaction(office, WRITE_SOMETHING, [idleId]);
  cleanUp.add(() => Promise.all([reader.end(), idle.end()]));
  const before = commitsOf(peers);
  own.resetStall();
  let report: RestoreReport | undefined;
  const stallMs = await progress.during('among peers: restore', () =>
    longestStall(peers, async () => {
      report = await restore(scene, scale, { tenant, target, reader, idle });
    }),
  );
  const commits = commitsOf(peers) - before;
  await own.waitForCommits(3, LIMIT_MS);
  const stats: WriterStats = await own.stop();
  await Promise.all(peers.map((peer) => peer.stop()));
  await Promise.all([reader.end(), idle.end()]);

  if (report?.frozenMs === undefined || report.merge === undefined || stats.refused === 0) {
    throw new MeasurementInvalidError('among peers: the tenant was never frozen');
  }
  if (report.merge.digestAfter !== report.preview?.digestExpected) {
    throw new MeasurementInvalidError('among peers: the merged rows are not those that were expected');
  }
  if ((await sliceDigest(database, tenants.small)) !== witness) {
    throw new MeasurementInvalidError('among peers: a tenant that nobody wrote to has changed');
  }
  return {
    stallMs,
    controlMs,
    commits,
    frozenMs: stats.longestStallMs,
    reportedFrozenMs: report.frozenMs,
    report,
  };
}

async function restore(
  scene: Scene,
  scale: Scale,
  {
    tenant,
    target,
    reader,
    idle,
  }: {
    readonly tenant: string;
    readonly target: string;
    readonly reader: LongTransaction;
    readonly idle: LongTransaction;
  },
): Promise<RestoreReport> {
  await idle.begin();
  const run = await scene.chronawflow.recovery.restoreTenant({
    tenant,
    to: target,
    requestedBy: 'benchmark',
    approvals: 0,
    freeze: 'after-approval',
  });
  // It cannot get past this phase while the idle writer is there.
  await run.until(({ phase }) => phase === 'freezing');
  idle.endAfter(scale.idleWriterMs);
  await reader.begin();
  reader.endAfter(scale.readerMs);
  return mergedReport(scene, run);
}

const READ_EVERY_TABLE = `
do $$
declare
  name regclass;
begin
  for name in select c.oid from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  loop
    execute format('select from %s limit 1', name);
  end loop;
end $$`;

/** In the table that all others write to most. */
const WRITE_SOMETHING = `update invoices set tags = array['on hold'] where organisation_id = $1 and number = 1`;

function newWriter(
  pool: Pool,
  organisationId: string,
  seed: number,
  work: readonly [OfficeWork, ...OfficeWork[]] = OFFICE_WORK,
): AccountingWriter {
  return new AccountingWriter(pool, {
    organisationId,
    random: seededRandom(seed),
    ratePerSecond: WRITES_PER_SECOND,
    work,
  });
}

/** Work that may find nothing to do commits while the tenant is frozen, and would cut the measured wait in two. */
function alwaysWriting(): readonly [OfficeWork, ...OfficeWork[]] {
  const [first, ...others] = OFFICE_WORK.filter(({ name }) => name === 'post-invoice' || name === 'sign-in');
  if (first === undefined) throw new MeasurementInvalidError('the office has no work that always writes');
  return [first, ...others];
}

/** The longest stall of any of them while `work` runs, in milliseconds. */
async function longestStall(
  writers: readonly AccountingWriter[],
  work: () => Promise<unknown>,
): Promise<number> {
  for (const writer of writers) writer.resetStall();
  await work();
  return Math.max(...writers.map((writer) => writer.stats().longestStallMs));
}

function commitsOf(writers: readonly AccountingWriter[]): number {
  return writers.reduce((sum, writer) => sum + writer.stats().committed, 0);
}
