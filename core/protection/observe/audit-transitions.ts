import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { type AuditEvent, recordAuditEvent } from '../../audit';
import type { BreakerKind, BreakerRegistry, KeyedTransition } from '../breaker';

const ACTION: Readonly<Record<BreakerKind, string>> = {
  closed: 'breaker.close',
  open: 'breaker.open',
  'half-open': 'breaker.probe',
  closing: 'breaker.admit',
  isolated: 'breaker.isolate',
  'forced-closed': 'breaker.force-close',
};

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

export interface AuditTransitionsOptions {
  /** Events that wait for the database at most; when more come the oldest are dropped, and that is recorded. */
  readonly limit?: number;
}

/**
 * Writes every change of state of a registry's breakers into the audit log, in their order and without making anybody
 * wait. While the control-plane database is away events are kept, and written when it is there again.
 */
export class AuditTransitions {
  /** Names the events: derived from the process and their number, so that one that is written twice is there once. */
  private readonly source = `breaker/${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  private readonly limit: number;
  private readonly waiting: AuditEvent[] = [];
  private readonly stopListening: () => void;
  private count = 0;
  private dropped = 0;
  private writing: Promise<void> | undefined;
  private wake: (() => void) | undefined;
  private closing = false;

  constructor(
    private readonly pool: Pool,
    registry: BreakerRegistry,
    { limit = 10_000 }: AuditTransitionsOptions = {},
  ) {
    this.limit = limit;
    this.stopListening = registry.onTransition((transition) => this.add(transition));
  }

  /** Writes what is waiting, for at most `limitMs`, and ends. @returns how many events could not be written */
  async close(limitMs = 5_000): Promise<number> {
    this.stopListening();
    this.closing = true;
    this.wake?.();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([this.writing, limit]);
    clearTimeout(timer);
    return this.waiting.length + this.dropped;
  }

  private add(transition: KeyedTransition): void {
    this.count += 1;
    if (this.waiting.length >= this.limit) {
      this.waiting.shift();
      this.dropped += 1;
    }
    this.waiting.push(eventOf(transition, `${this.source}/${this.count}`));
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  private async write(): Promise<void> {
    let failures = 0;
    for (;;) {
      const { dropped } = this;
      const next = dropped === 0 ? this.waiting[0] : this.droppedEvent(dropped);
      if (next === undefined) return;
      try {
        await recordAuditEvent(this.pool, next);
        if (dropped > 0) this.dropped -= dropped;
        else if (next === this.waiting[0]) this.waiting.shift();
        failures = 0;
      } catch {
        // Whoever watches the database hears of it there; the events are kept, and counted when they are too many.
        if (this.closing) return;
        failures += 1;
        await this.pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)));
      }
    }
  }

  private droppedEvent(count: number): AuditEvent {
    return {
      id: `${this.source}/dropped-before-${this.count}`,
      actor: 'chronawflow',
      action: 'breaker.transitions-dropped',
      outcome: 'ok',
      details: { count },
    };
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function eventOf({ key, from, to }: KeyedTransition, id: string): AuditEvent {
  const why = 'reason' in to ? to.reason : 'why' in to ? to.why : undefined;
  return {
    id,
    actor: 'chronawflow',
    action: ACTION[to.kind],
    tenant: key.tenant === '' ? undefined : key.tenant,
    object: `${key.service}/${key.operation}`,
    outcome: 'ok',
    details: {
      from: from.kind,
      to: to.kind,
      ...(why === undefined ? {} : { why }),
      ...('attempt' in to ? { attempt: to.attempt } : {}),
      observedAt: new Date().toISOString(),
    },
  };
}
