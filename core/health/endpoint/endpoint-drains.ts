import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { errorListener, InvalidInputError } from '../../errors';
import { type Repeated, repeat } from '../../repeat';
import type { EndpointSet } from './endpoint-set';
import { TELL_EVERY_MS, tellEndpoints } from './known-endpoints';

export interface EndpointDrainsOptions {
  /** The control-plane database; closed by the caller. */
  readonly pool: Pool;
  /** How often it is asked, in milliseconds; default 1,000. */
  readonly everyMs?: number;
  /** Told when it cannot be asked. */
  readonly onError?: (error: unknown) => void;
}

interface Row {
  readonly service: string;
  readonly endpoint: string;
  readonly redirect: string | null;
  readonly remainingMs: number;
}

/** A drain that this process has applied, and what ends it on time. */
interface Applied {
  readonly end: NodeJS.Timeout;
  readonly set: EndpointSet;
  readonly endpoint: string;
  /** Was added for it, and goes with it. */
  readonly added: string | undefined;
}

/**
 * Has the endpoint sets of a process follow what is drained: a drained endpoint gets nothing new, and what is under way there
 * ends by itself. A drain ends here when its lease is over, also while the database is away. The endpoints of the sets are told to
 * the control plane, for the graph of failure domains.
 *
 * @example
 * const drains = new EndpointDrains({ pool });
 * drains.follow('tax', new EndpointSet({ endpoints: ['https://a.example', 'https://b.example'] }));
 * drains.start();
 */
export class EndpointDrains {
  private readonly process = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  private readonly sets = new Map<string, EndpointSet>();
  private readonly applied = new Map<string, Applied>();
  private readonly rounds: Repeated;
  private toldAt = Number.NEGATIVE_INFINITY;

  /** @throws InvalidInputError naming the option */
  constructor(private readonly options: EndpointDrainsOptions) {
    const { everyMs = 1_000, onError } = options;
    if (!(everyMs > 0 && everyMs <= 2 ** 31 - 1))
      throw new InvalidInputError(`everyMs: ${everyMs} is no time in milliseconds.`, {
        details: { option: 'everyMs' },
      });
    this.rounds = repeat(everyMs, () => this.round(), errorListener('EndpointDrains', onError));
  }

  follow(service: string, set: EndpointSet): void {
    this.sets.set(service, set);
    this.toldAt = Number.NEGATIVE_INFINITY;
  }

  start(): void {
    this.rounds.start();
  }

  /** Ends what it applied, and asks no more. */
  async stop(): Promise<void> {
    await this.rounds.stop();
    for (const key of [...this.applied.keys()]) this.end(key);
  }

  private async round(): Promise<void> {
    const { rows } = await this.options.pool.query<Row>(
      `select service, endpoint, redirect,
         (extract(epoch from until - clock_timestamp()) * 1000)::float8 as "remainingMs"
       from chronawflow.endpoint_drain where until > clock_timestamp() and service = any ($1)`,
      [[...this.sets.keys()]],
    );
    const standing = new Set(rows.map(keyOf));
    for (const key of [...this.applied.keys()]) if (!standing.has(key)) this.end(key);
    for (const row of rows) this.apply(row);
    if (rows.length > 0) await this.tell(rows);
    if (performance.now() - this.toldAt >= TELL_EVERY_MS) await this.tellEndpoints();
  }

  private async tellEndpoints(): Promise<void> {
    this.toldAt = performance.now();
    const known = [...this.sets].flatMap(([service, { endpoints }]) =>
      endpoints.map((endpoint) => ({ service, endpoint })),
    );
    if (known.length > 0) await tellEndpoints(this.options.pool, known);
  }

  private apply(row: Row): void {
    const set = this.sets.get(row.service);
    if (set === undefined) return;
    const key = keyOf(row);
    const before = this.applied.get(key);
    clearTimeout(before?.end);
    const { endpoint, redirect } = row;
    const added = before === undefined ? this.addRedirect(set, redirect) : before.added;
    set.drain(endpoint);
    const end = setTimeout(() => this.end(key), Math.max(0, row.remainingMs));
    end.unref();
    this.applied.set(key, { end, set, endpoint, added });
  }

  private addRedirect(set: EndpointSet, redirect: string | null): string | undefined {
    if (redirect === null || set.has(redirect)) return undefined;
    set.add(redirect);
    return redirect;
  }

  private end(key: string): void {
    const applied = this.applied.get(key);
    if (applied === undefined) return;
    clearTimeout(applied.end);
    this.applied.delete(key);
    applied.set.resume(applied.endpoint);
    if (applied.added !== undefined) applied.set.remove(applied.added);
  }

  /** So that whoever drains sees when nothing is under way any more. */
  private async tell(rows: readonly Row[]): Promise<void> {
    await this.options.pool.query(
      `insert into chronawflow.endpoint_drain_process as p (service, endpoint, process, in_flight)
       select t.service, t.endpoint, $1, t.in_flight
       from unnest($2::text[], $3::text[], $4::integer[]) t (service, endpoint, in_flight)
       join chronawflow.endpoint_drain using (service, endpoint)
       on conflict (service, endpoint, process) do update
         set in_flight = excluded.in_flight, seen_at = clock_timestamp()`,
      [
        this.process,
        rows.map(({ service }) => service),
        rows.map(({ endpoint }) => endpoint),
        rows.map(({ service, endpoint }) => this.sets.get(service)?.inFlight(endpoint) ?? 0),
      ],
    );
  }
}

function keyOf({ service, endpoint }: Pick<Row, 'service' | 'endpoint'>): string {
  return JSON.stringify([service, endpoint]);
}
