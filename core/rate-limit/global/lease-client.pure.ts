import { Contact, type Sent } from './contact.pure';
import { DatabaseClock } from './database-clock.pure';
import { GlobalMeter } from './global-meter.pure';
import type { LeaseWish, Waiting } from './lease-wish.pure';
import type { LeaseGrant } from './ledger.pure';
import type { GlobalRule } from './slots.pure';
import { HEARTBEAT_MS } from './timing.pure';

/** What the database is to be asked now. `probe` only reads its clock. */
export type Statement =
  | { readonly kind: 'probe' }
  | { readonly kind: 'heartbeat'; readonly rejoin: boolean }
  | { readonly kind: 'lease'; readonly meter: GlobalMeter; readonly wish: LeaseWish };

/** A statement that was sent. Local times are monotonic milliseconds, the deadline is the database's. */
export interface Asked<S extends Statement = Statement> {
  readonly statement: S;
  readonly sentAt: number;
  readonly deadline: number;
  readonly sent: Sent | undefined;
}

/** The time of the database at which it ran a statement; `late` when that was after the deadline and it did nothing. */
export interface Seen {
  readonly at: number;
  readonly late: boolean;
}

const PROBE_EVERY_MS = 250;

/** Everything one process decides about its leases, without input or output: what to ask when, and what answers mean. */
export class LeaseClient {
  readonly clock = new DatabaseClock();
  readonly contact = new Contact();
  private readonly meters = new Set<GlobalMeter>();
  private aliveAt = Number.NEGATIVE_INFINITY;
  private probing = false;
  private probedAt = Number.NEGATIVE_INFINITY;
  private beating = false;

  constructor(private readonly timeoutMs: number) {}

  meter(key: string, rule: GlobalRule): GlobalMeter {
    return new GlobalMeter(key, rule, this.clock, this.contact);
  }

  /** Leases are asked for from now on. */
  activate(meter: GlobalMeter): void {
    this.meters.add(meter);
  }

  deactivate(meter: GlobalMeter): void {
    this.meters.delete(meter);
  }

  /** Statements that are due. `waiting` are the requests that wait for a meter's lease. */
  due(now: number, waiting: (meter: GlobalMeter) => Waiting): Statement[] {
    if (this.contact.lost || !this.clock.known) {
      return this.probing || this.beating || now - this.probedAt < PROBE_EVERY_MS ? [] : [{ kind: 'probe' }];
    }
    const statements: Statement[] = [];
    for (const meter of this.meters) {
      const wish = meter.holder.plan(now, waiting(meter));
      if (wish !== undefined) statements.push({ kind: 'lease', meter, wish });
    }
    if (statements.length === 0 && !this.beating && now - this.aliveAt >= HEARTBEAT_MS)
      statements.push({ kind: 'heartbeat', rejoin: false });
    return statements;
  }

  send<S extends Statement>(statement: S, now: number): Asked<S> {
    const deadline = this.clock.known ? this.clock.latest(now) + this.timeoutMs : Number.POSITIVE_INFINITY;
    const { contact } = this;
    switch (statement.kind) {
      case 'probe':
        this.probing = true;
        this.probedAt = now;
        return { statement, sentAt: now, deadline, sent: undefined };
      case 'heartbeat': {
        this.beating = true;
        const sent = statement.rejoin ? contact.sentRejoin(deadline) : contact.sent(deadline);
        return { statement, sentAt: now, deadline, sent };
      }
      case 'lease':
        statement.meter.holder.sent(now, statement.wish);
        this.aliveAt = now;
        return { statement, sentAt: now, deadline, sent: contact.sent(deadline) };
    }
  }

  /** @returns what has to follow at once. */
  probed(asked: Asked, now: number, at: number): Statement | undefined {
    this.probing = false;
    this.observe(asked, now, at);
    return this.contact.lost ? { kind: 'heartbeat', rejoin: true } : undefined;
  }

  beat(asked: Asked, rejoin: boolean, now: number, seen: Seen): void {
    this.beating = false;
    this.observe(asked, now, seen.at);
    if (seen.late || asked.sent === undefined) {
      this.fail(asked);
    } else {
      this.aliveAt = now;
      if (rejoin) this.contact.rejoined(asked.sent, seen.at);
      else this.contact.answered(asked.sent, seen.at);
    }
  }

  leased(asked: Asked, meter: GlobalMeter, wish: LeaseWish, now: number, grant: LeaseGrant): void {
    this.observe(asked, now, grant.at);
    if (asked.sent !== undefined && !grant.late) this.contact.answered(asked.sent, grant.at);
    else this.fail(asked);
    meter.holder.answered(now, grant, wish);
  }

  failed(asked: Asked): void {
    switch (asked.statement.kind) {
      case 'probe':
        this.probing = false;
        break;
      case 'heartbeat':
        this.beating = false;
        break;
      case 'lease':
        asked.statement.meter.holder.failed();
        break;
    }
    this.fail(asked);
  }

  private fail(asked: Asked): void {
    if (asked.sent === undefined) this.contact.unreachable();
    else this.contact.failed(asked.sent);
  }

  private observe(asked: Asked, now: number, at: number): void {
    if (!this.clock.observe(asked.sentAt, now, at)) return;
    this.contact.clockSet(at);
    for (const meter of this.meters) meter.holder.forget();
  }
}
