import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { whenMissing } from '../../errors';
import { ExportedLog, isExportedAt, LogDamagedError } from '../log';
import { type Checkpoint, NoteInvalidError, parseCheckpoint, parseNote, verifyNote } from '../note';
import { type LogVerifiers, originOf, verifiersOf } from '../seal';
import type { VerifyOptions } from './verify-database';
import {
  type DroppedPrefix,
  type RootClaim,
  type VerifyHooks,
  type Violation,
  verifyLog,
} from './verify-log';

export interface ExportVerification {
  readonly logs: number;
  readonly entries: number;
  readonly violations: readonly Violation[];
  /** What retentions have dropped. */
  readonly dropped: readonly DroppedPrefix[];
  /** The platform's, which covers everything that is here. */
  readonly checkpoint: string;
}

/**
 * Verifies an exported directory with nothing but the public key: `platform/`, and below `logs/` any of the logs whose
 * checkpoints it has. Nothing in the directory is trusted.
 *
 * @throws NoteInvalidError, LogDamagedError when there is no platform log that the key has signed
 */
export async function verifyExport(
  directory: string,
  key: LogVerifiers,
  { earlier = [], progress }: Pick<VerifyOptions, 'earlier' | 'progress'> = {},
): Promise<ExportVerification> {
  const platform = await ExportedLog.open(join(directory, 'platform'));
  if (platform.origin !== originOf(key))
    throw new LogDamagedError(originOf(key), `platform/ is log ${platform.origin}`);
  const own = openNote(platform.note, key, platform.origin);
  const violations: Violation[] = [];
  let entries = 0;
  const logs: ExportedLog[] = [];
  for (const name of await readdir(join(directory, 'logs')).catch(whenMissing([]))) {
    const below = join(directory, 'logs', name);
    if (!isExportedAt(below, platform.size)) continue;
    const log = await openOne(below, platform.size, violations);
    if (log !== undefined) logs.push(log);
  }
  const claims = new Map<string, RootClaim[]>(logs.map(({ origin }) => [origin, []]));
  const kept = earlier.map((note) => ({
    ...openNote(note, key, platform.origin),
    by: 'the checkpoint that you kept',
  }));
  const ownClaims = [...kept, { ...own, by: 'its checkpoint' }].sort((a, b) => a.size - b.size);
  violations.push(
    ...(await verifyLog(platform, ownClaims, {
      entries: (_, leaves) => collect(claims, leaves),
      progress: (done) => progress?.({ log: platform.origin, done, total: platform.size }),
    })),
  );
  const dropped: DroppedPrefix[] = [];
  for (const log of logs) {
    const found = await verifyOne(log, key, claims.get(log.origin) ?? [], {
      progress: (done) => progress?.({ log: log.origin, done, total: log.size }),
      dropped: (prefix) => dropped.push(prefix),
    });
    violations.push(...found);
    entries += log.size - log.minimumIndex;
  }
  return { logs: logs.length + 1, entries, violations, dropped, checkpoint: platform.note };
}

async function openOne(
  directory: string,
  of: number,
  violations: Violation[],
): Promise<ExportedLog | undefined> {
  try {
    return await ExportedLog.open(directory, of);
  } catch (error) {
    if (!(error instanceof LogDamagedError || error instanceof NoteInvalidError)) throw error;
    violations.push({ origin: directory, problem: error.message });
    return undefined;
  }
}

/** The log against its own checkpoint and against every one of it that is in the platform log. */
async function verifyOne(
  log: ExportedLog,
  key: LogVerifiers,
  listed: readonly RootClaim[],
  hooks: Pick<VerifyHooks, 'progress' | 'dropped'>,
): Promise<Violation[]> {
  let own: Checkpoint;
  try {
    own = openNote(log.note, key, log.origin);
  } catch (error) {
    if (!(error instanceof NoteInvalidError)) throw error;
    return [{ origin: log.origin, problem: error.message }];
  }
  const violations: Violation[] = [];
  const add = (problem: string) => violations.push({ origin: log.origin, problem });
  const last = listed.at(-1);
  if (last === undefined || last.size !== own.size || !last.root.equals(own.root))
    add('its checkpoint is not the newest that the platform log has of it');
  const grows = listed.every((claim, i) => i === 0 || claim.size > (listed[i - 1]?.size ?? 0));
  if (!grows) add('the platform log takes it back to fewer entries');
  const claims = [...(grows ? listed : []), { ...own, by: 'its checkpoint' }];
  return [...violations, ...(await verifyLog(log, claims, hooks))];
}

function collect(claims: Map<string, RootClaim[]>, leaves: readonly Buffer[]): void {
  for (const leaf of leaves) {
    let checkpoint: Checkpoint;
    try {
      checkpoint = parseCheckpoint(leaf.toString());
    } catch (error) {
      // What is no checkpoint is not one of a log that is here; the platform's own tree is compared all the same.
      if (!(error instanceof NoteInvalidError)) throw error;
      continue;
    }
    const { origin, size, root } = checkpoint;
    claims.get(origin)?.push({ size, root, by: 'the platform log' });
  }
}

function openNote(note: string, key: LogVerifiers, origin: string): Checkpoint {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpoint(parsed.text);
  if (checkpoint.origin !== origin)
    throw new NoteInvalidError('checkpoint of this log', `it is of ${checkpoint.origin}`);
  verifyNote(parsed, verifiersOf(key, origin));
  return checkpoint;
}
