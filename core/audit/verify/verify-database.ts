import type { ClientBase, Pool } from 'pg';
import { inTransaction } from '../../../database';
import { type LogFacts, readLogs, StoredLog } from '../log';
import {
  type Checkpoint,
  NoteInvalidError,
  parseCheckpoint,
  parseNote,
  type VerifierKey,
  verifyNote,
} from '../note';
import { type LogVerifiers, verifiersOf } from '../seal';
import { checkGuards } from './check-guards';
import { checkPersonal } from './check-personal';
import { compareEvent } from './compare-event.pure';
import { LogWithEvents } from './log-with-events';
import { countUnsealed, findUnlisted, type Unsealed } from './place-of-sealing';
import { type DroppedPrefix, type RootClaim, type Violation, verifyLog } from './verify-log';

export interface VerifyOptions {
  /** Only this tenant's log, beside the platform's. */
  readonly tenant?: string;
  /**
   * ISO 8601: only events that were sealed from then on are compared with what was sealed; what was before is taken from its hashes.
   */
  readonly since?: string;
  /** Notes of the platform log that somebody kept elsewhere: what they sign has to be in it still. */
  readonly earlier?: readonly string[];
  /** Public keys of witnesses: what they have signed is checked and told. */
  readonly witnesses?: readonly VerifierKey[];
  readonly progress?: (state: {
    readonly log: string;
    readonly done: number;
    readonly total: number;
  }) => void;
}

export interface AuditVerification {
  readonly logs: number;
  readonly entries: number;
  readonly violations: readonly Violation[];
  /** What retentions have dropped. */
  readonly dropped: readonly DroppedPrefix[];
  readonly unsealed: Unsealed;
  /** Up to which size of the platform log each witness has cosigned. */
  readonly cosigned: readonly { readonly witness: string; readonly size: number }[];
  /** The platform's checkpoint, to be kept elsewhere; undefined before anything was sealed. */
  readonly checkpoint?: string;
}

const PAGE = 1_000;

/**
 * Verifies the log as it stands in the database, in one snapshot: every tree against every checkpoint that was ever signed,
 * the tenants' checkpoints against the platform log, every event against its sealed bytes, and what guards them.
 */
export async function verifyDatabase(
  platform: Pool,
  key: LogVerifiers,
  options: VerifyOptions = {},
): Promise<AuditVerification> {
  return inTransaction(platform, (tx) => new DatabaseVerification(tx, key, options).run(), {
    isolation: 'repeatable read',
    readOnly: true,
  });
}

class DatabaseVerification {
  private readonly violations: Violation[] = [];
  private readonly logs = new Map<string, LogFacts>();
  /** Of each log's checkpoints that are leaves of the platform log: how many, and the last one's size. */
  private readonly listed = new Map<string, { count: number; size: number }>();
  private readonly dropped: DroppedPrefix[] = [];
  private entries = 0;

  constructor(
    private readonly tx: ClientBase,
    private readonly key: LogVerifiers,
    private readonly options: VerifyOptions,
  ) {}

  async run(): Promise<AuditVerification> {
    for (const log of await readLogs(this.tx)) this.logs.set(log.origin, log);
    for (const log of this.logs.values()) {
      if (log.kind === 'platform') await this.verifyPlatform(log);
      else if (this.options.tenant === undefined || log.tenant === this.options.tenant)
        await this.verifyOne(log);
    }
    this.violations.push(
      ...(await findUnlisted(this.tx)),
      ...(await checkPersonal(this.tx)),
      ...(await checkGuards(this.tx)),
    );
    const checkpoint = [...this.logs.values()].find(({ kind }) => kind === 'platform')?.note;
    return {
      logs: this.logs.size,
      entries: this.entries,
      violations: this.violations,
      dropped: this.dropped,
      unsealed: await countUnsealed(this.tx),
      cosigned: await this.cosigned(),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    };
  }

  private async verifyPlatform(log: LogFacts): Promise<void> {
    this.requireCheckpoint(log);
    const earlier = (this.options.earlier ?? []).map((note) => ({
      ...this.opened(log.origin, note),
      by: 'the checkpoint that you kept',
    }));
    const found = await verifyLog(
      new StoredLog(this.tx, log),
      merged(
        this.checkpoints(log),
        earlier.sort((a, b) => a.size - b.size),
      ),
      {
        entries: (first, entries) => this.compareLeaves(log, first, entries),
        progress: (done) => this.options.progress?.({ log: log.origin, done, total: log.size }),
      },
    );
    this.violations.push(...found);
  }

  private async verifyOne(log: LogFacts): Promise<void> {
    this.requireCheckpoint(log);
    const reader = new LogWithEvents(this.tx, log);
    const from = await this.firstSince(log);
    const found = await verifyLog(reader, this.checkpoints(log), {
      from,
      entries: (first, entries) => this.compareEvents(reader, first, entries),
      dropped: (prefix) => this.dropped.push(prefix),
      progress: (done) => this.options.progress?.({ log: log.origin, done, total: log.size }),
    });
    this.violations.push(...found);
    const { rows } = await this.tx.query<{ count: string }>(
      'select count(*) as count from chronawflow.audit_checkpoint where log = $1',
      [log.id],
    );
    const listed = this.listed.get(log.origin)?.count ?? 0;
    if (Number(rows[0]?.count) !== listed) {
      this.violations.push({
        origin: log.origin,
        problem: `${rows[0]?.count} checkpoints are stored, ${listed} are in the platform log`,
      });
    }
  }

  /** A checkpoint from before covers nothing that was sealed later. */
  private async firstSince({ id }: LogFacts): Promise<number> {
    const { since } = this.options;
    if (since === undefined) return 0;
    const { rows } = await this.tx.query<{ size: string }>(
      `select size from chronawflow.audit_checkpoint where log = $1 and sealed_at < $2::timestamptz order by size desc limit 1`,
      [id, since],
    );
    return Number(rows[0]?.size ?? 0);
  }

  private requireCheckpoint({ origin, size, note }: LogFacts): void {
    if (note === undefined)
      this.violations.push({ origin, index: size, problem: `its checkpoint ${size} is missing` });
  }

  /** Every leaf of the platform log is a checkpoint as it is stored, and each log's only grow. */
  private async compareLeaves(platform: LogFacts, first: number, entries: readonly Buffer[]): Promise<void> {
    const leaves = entries.map((entry, i) => ({
      index: first + i,
      text: entry.toString(),
      of: checkpointIn(entry),
    }));
    const { rows } = await this.tx.query<{ log: number; size: string; note: string; leaf: string | null }>(
      `select c.log, c.size, c.note, c.leaf from unnest($1::int[], $2::bigint[]) l (log, size)
         join chronawflow.audit_checkpoint c on c.log = l.log and c.size = l.size`,
      [
        leaves.map(({ of }) => this.logs.get(of?.origin ?? '')?.id ?? 0),
        leaves.map(({ of }) => of?.size ?? -1),
      ],
    );
    const stored = new Map(rows.map((row) => [`${row.log}/${row.size}`, row]));
    for (const { index, text, of } of leaves) {
      const log = this.logs.get(of?.origin ?? '');
      const found = stored.get(`${log?.id}/${of?.size}`);
      if (of === undefined || log === undefined || !found?.note.startsWith(`${text}\n`)) {
        const problem = `its leaf ${index}, ${JSON.stringify(text.slice(0, 120))}, is no checkpoint that is stored`;
        this.violations.push({ origin: platform.origin, index, problem });
        continue;
      }
      if (Number(found.leaf ?? -1) !== index) {
        const problem = `checkpoint ${of.size} is its leaf ${index}, and is said to be leaf ${found.leaf}`;
        this.violations.push({ origin: of.origin, index: of.size, problem });
      }
      const before = this.listed.get(of.origin) ?? { count: 0, size: 0 };
      if (of.size <= before.size) {
        const problem = `its leaf ${index} takes log ${of.origin} from ${before.size} entries back to ${of.size}`;
        this.violations.push({ origin: platform.origin, index, problem });
      }
      this.listed.set(of.origin, { count: before.count + 1, size: of.size });
    }
  }

  private compareEvents(log: LogWithEvents, first: number, entries: readonly Buffer[]): void {
    this.entries += entries.length;
    for (const [i, sealed] of entries.entries()) {
      const { eventId = '', stored } = log.events[i] ?? {};
      const problem = compareEvent(sealed, eventId, stored);
      if (problem !== undefined)
        this.violations.push({ origin: log.origin, index: first + i, eventId, problem });
    }
  }

  /** The newest cosignature of each witness that is known, if it is good. */
  private async cosigned(): Promise<AuditVerification['cosigned']> {
    const { witnesses = [] } = this.options;
    const { rows } = await this.tx.query<{ origin: string; size: string; note: string; line: string }>(
      `select distinct on (s.name) l.origin, s.size, c.note, s.line
         from chronawflow.audit_cosignature s
         join chronawflow.audit_checkpoint c on c.log = s.log and c.size = s.size
         join chronawflow.audit_log l on l.id = s.log
        where s.name = any ($1) order by s.name, s.size desc`,
      [witnesses.map(({ name }) => name)],
    );
    return rows.flatMap(({ origin, size, note, line }) => {
      try {
        const [signed] = verifyNote(parseNote(note + line), witnesses);
        return signed === undefined ? [] : [{ witness: signed.key.name, size: Number(size) }];
      } catch (error) {
        if (!(error instanceof NoteInvalidError)) throw error;
        this.violations.push({
          origin,
          index: Number(size),
          problem: `a cosignature of ${size} entries: ${error.message}`,
        });
        return [];
      }
    });
  }

  /** Every checkpoint that was ever signed, in the order of their sizes; bad signatures are findings. */
  private async *checkpoints(log: LogFacts): AsyncGenerator<RootClaim> {
    for (let after = -1; ; ) {
      const { rows } = await this.tx.query<{ size: string; note: string }>(
        'select size, note from chronawflow.audit_checkpoint where log = $1 and size > $2 order by size limit $3',
        [log.id, after, PAGE],
      );
      for (const { size, note } of rows) {
        after = Number(size);
        const checkpoint = this.readNote(log, after, note);
        if (checkpoint !== undefined) yield { ...checkpoint, by: 'its checkpoint' };
      }
      if (rows.length < PAGE) return;
    }
  }

  private readNote(log: LogFacts, size: number, note: string): Checkpoint | undefined {
    try {
      const checkpoint = this.opened(log.origin, note);
      if (checkpoint.size === size) return checkpoint;
      throw new NoteInvalidError('checkpoint of this size', `it is of size ${checkpoint.size}`);
    } catch (error) {
      if (!(error instanceof NoteInvalidError)) throw error;
      this.violations.push({
        origin: log.origin,
        index: size,
        problem: `its checkpoint ${size}: ${error.message}`,
      });
      return undefined;
    }
  }

  private opened(origin: string, note: string): Checkpoint {
    const parsed = parseNote(note);
    verifyNote(parsed, verifiersOf(this.key, origin));
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.origin !== origin)
      throw new NoteInvalidError('checkpoint of this log', `it is of ${checkpoint.origin}`);
    return checkpoint;
  }
}

function checkpointIn(entry: Buffer): Checkpoint | undefined {
  try {
    return parseCheckpoint(entry.toString());
  } catch (error) {
    if (error instanceof NoteInvalidError) return undefined;
    throw error;
  }
}

/** Both in the order of their sizes. */
async function* merged(
  claims: AsyncGenerator<RootClaim>,
  few: readonly RootClaim[],
): AsyncGenerator<RootClaim> {
  const rest = [...few];
  for await (const claim of claims) {
    while (rest[0] !== undefined && rest[0].size <= claim.size) yield* rest.splice(0, 1);
    yield claim;
  }
  yield* rest;
}
