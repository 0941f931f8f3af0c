import type { ClientBase } from 'pg';
import { bytesOf, TILE_WIDTH } from '../merkle';
import { type Bundle, PackedBundle } from './bundle';
import { LogDamagedError } from './log-damaged-error';
import type { LogReader } from './log-reader';

export interface LogFacts {
  readonly id: number;
  readonly kind: 'tenant' | 'system' | 'platform';
  readonly tenant: string | null;
  readonly origin: string;
  readonly size: number;
  /** Entries below it were dropped by a retention. */
  readonly minimumIndex: number;
  /** The checkpoint of this size, with its cosignatures; undefined when it is gone. */
  readonly note: string | undefined;
}

/** All logs, or those of a kind, as of one moment, the platform's first: read them in one REPEATABLE READ transaction. */
export async function readLogs(tx: Pick<ClientBase, 'query'>, kind?: LogFacts['kind']): Promise<LogFacts[]> {
  const { rows } = await tx.query<LogRow>(
    `select l.id, l.kind, l.tenant, l.origin, l.size,
            coalesce((select max(d.index) + 1 from chronawflow.audit_dropped d where d.log = l.id), 0) * 256 as "minimumIndex",
            c.note || coalesce((select string_agg(s.line, '' order by s.name) from chronawflow.audit_cosignature s
                                 where s.log = c.log and s.size = c.size), '') as note
       from chronawflow.audit_log l
       left join chronawflow.audit_checkpoint c on c.log = l.id and c.size = l.size
      where (l.size > 0 or l.kind = 'platform') and ($1::text is null or l.kind = $1)
      order by l.kind <> 'platform', l.id`,
    [kind ?? null],
  );
  return rows.map(({ note, ...log }) => ({
    ...log,
    size: Number(log.size),
    minimumIndex: Number(log.minimumIndex),
    note: note ?? undefined,
  }));
}

type LogRow = Omit<LogFacts, 'size' | 'minimumIndex' | 'note'> & {
  readonly size: string;
  readonly minimumIndex: string;
  readonly note: string | null;
};

/** A log in the control plane's database. */
export class StoredLog implements LogReader {
  readonly keepsLeafHashes = false;
  readonly origin: string;
  readonly size: number;
  readonly minimumIndex: number;

  constructor(
    protected readonly database: Pick<ClientBase, 'query'>,
    protected readonly log: LogFacts,
  ) {
    this.origin = log.origin;
    this.size = log.size;
    this.minimumIndex = log.minimumIndex;
  }

  get note(): string {
    const { note, size } = this.log;
    if (note === undefined)
      throw new LogDamagedError(this.origin, `the checkpoint of size ${size} is missing`);
    return note;
  }

  async bundle(index: number, width: number): Promise<Bundle> {
    const start = index * TILE_WIDTH;
    const { rows } = await this.database.query<{ first: string; count: number; entries: Buffer }>(
      'select first, count, entries from chronawflow.audit_bundle where log = $1 and first >= $2 and first < $3 order by first',
      [this.log.id, start, start + width],
    );
    const bundle = PackedBundle.parse(Buffer.concat(rows.map(({ entries }) => entries)));
    if (bundle?.length !== width) throw this.missing('entries', index, bundle?.length ?? 0, width);
    let next = start;
    for (const { first, count } of rows) {
      if (Number(first) !== next)
        throw new LogDamagedError(this.origin, `entry ${next} is stored as entry ${first}`);
      next += count;
    }
    return bundle;
  }

  async tile(level: number, index: number, width: number): Promise<Buffer> {
    if (level === 0 && index * TILE_WIDTH < this.minimumIndex) return this.dropped(index);
    if (level === 0) return bytesOf((await this.bundle(index, width)).digests.join(''));
    const { rows } = await this.database.query<{ hash: Buffer }>(
      'select hash from chronawflow.audit_subtree where log = $1 and level = $2 and index >= $3 and index < $4 order by index',
      [this.log.id, level, index * TILE_WIDTH, index * TILE_WIDTH + width],
    );
    if (rows.length !== width) throw this.missing(`tile ${level}`, index, rows.length, width);
    return Buffer.concat(rows.map(({ hash }) => hash));
  }

  private async dropped(index: number): Promise<Buffer> {
    const { rows } = await this.database.query<{ hashes: Buffer }>(
      'select hashes from chronawflow.audit_dropped where log = $1 and index = $2',
      [this.log.id, index],
    );
    const [row] = rows;
    if (row === undefined) throw this.missing('dropped', index, 0, TILE_WIDTH);
    return row.hashes;
  }

  protected missing(what: string, index: number, found: number, wanted: number): LogDamagedError {
    return new LogDamagedError(this.origin, `${what}/${index} has ${found} of ${wanted}`);
  }
}
