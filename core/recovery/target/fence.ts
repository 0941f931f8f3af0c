import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { inTransaction } from '../../../database';
import type { ArchiveListing, BackupProvider } from '../backup/provider';
import type { RecoveryContext, StepControl } from '../engine';
import { type ArchiverState, ArchivingStuckError } from '../errors/archiving-stuck-error';

import { pause } from './pause';

/** A commit that is surely later than the target, and the segment that holds it. */
export interface Fence {
  readonly token: string;
  readonly segment: string;
}

/** How long nothing at all may be archived before we give up; a backlog that shrinks is waited for. */
const NO_PROGRESS_LIMIT_MS = 60_000;
const FIRST_POLL_MS = 50;
const LAST_POLL_MS = 1000;
/** The repository is listed by a program; until so long the server is asked first, which costs next to nothing. */
const ARCHIVER_SOON_MS = 1000;
const ARCHIVER_POLL_MS = 10;

/**
 * Recovery stops at the first commit after the target, and is FATAL when there is none. So commit a row, then close
 * its segment so that it is archived at once. The switch needs a transaction of its own: inside the insert's it would
 * come before the commit.
 */
export async function writeFence(application: Pool, token: string = randomUUID()): Promise<Fence> {
  await inTransaction(application, async (tx) => {
    // Flushed when it commits, whatever the role's default: the next statement relies on it.
    await tx.query('set local synchronous_commit = local');
    await tx.query('insert into chronawflow.fence (token) values ($1)', [token]);
  });
  // The written position, not the insert position: when another session has just closed the segment, the latter is
  // already inside an empty one, which a switch would leave open.
  const { rows } = await application.query<{ segment: string }>(
    'select pg_walfile_name(pg_current_wal_lsn()) as segment',
  );
  await application.query('select pg_switch_wal()');
  // Fences are of no use once their segment is archived; a day is far longer than any wait for that.
  await application.query(`delete from chronawflow.fence where at < clock_timestamp() - interval '1 day'`);
  return { token, segment: rows[0]?.segment ?? '' };
}

/**
 * The repository's listing is what counts; the server's word only tells when it is worth reading.
 *
 * @returns the listing that has the segment.
 * @throws ArchivingStuckError with what pg_stat_archiver says.
 */
export async function waitUntilArchived(
  ctx: RecoveryContext,
  provider: BackupProvider,
  systemId: string,
  segment: string,
  control: StepControl,
  limitMs = NO_PROGRESS_LIMIT_MS,
): Promise<ArchiveListing> {
  const started = Date.now();
  let progressAt = started;
  let last: string | null = null;
  await untilArchiverSays(ctx.application, segment, control);
  for (let wait = FIRST_POLL_MS; ; wait = Math.min(wait * 2, LAST_POLL_MS)) {
    control.signal?.throwIfAborted();
    const listing = await provider.listArchive(systemId, control);
    if (listing.segments.has(segment)) return listing;
    const archiver = await readArchiver(ctx.application);
    if (archiver.lastArchived !== last) {
      last = archiver.lastArchived;
      progressAt = Date.now();
    }
    if (archiver.archiveMode === 'off' || Date.now() - progressAt > limitMs) {
      throw new ArchivingStuckError(segment, Date.now() - started, archiver);
    }
    control.progress?.({ step: 'waiting for the archive' });
    await pause(wait, control.signal);
  }
}

/** Returns once the archiver says that it has the segment or a later one, and not much later if it does not. */
async function untilArchiverSays(application: Pool, segment: string, control: StepControl): Promise<void> {
  const end = performance.now() + ARCHIVER_SOON_MS;
  while (performance.now() < end) {
    const { lastArchived } = await readArchiver(application);
    if (lastArchived !== null && lastArchived >= segment) return;
    await pause(ARCHIVER_POLL_MS, control.signal);
  }
}

async function readArchiver(application: Pool): Promise<ArchiverState> {
  const { rows } = await application.query<ArchiverState>(`
    select current_setting('archive_mode') as "archiveMode", last_archived_wal as "lastArchived",
           failed_count::int as "failures", last_failed_wal as "lastFailed",
           last_failed_time::text as "lastFailedAt"
      from pg_stat_archiver`);
  const row = rows[0];
  if (row === undefined) throw new TypeError('pg_stat_archiver has always one row');
  return row;
}
