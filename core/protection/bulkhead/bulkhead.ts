import type { z } from 'zod';
import { bulkheadOptions } from '../../../config';
import { begin, NEVER, untilAborted } from '../abort';
import { type Clock, monotonicMs } from '../monotonic-clock';
import { parseOptions } from '../parse-options';
import type { Policy, Protected } from '../policy';
import { tell } from '../tell';
import { TimeoutExceededError } from '../timeout/timeout-exceeded-error';
import { BulkheadFullError, type BulkheadRefusal } from './bulkhead-full-error';
import { FairQueue } from './fair-queue';
import { type Gradient, nextGradient } from './gradient.pure';
import { hasPlace, type PlaceRules } from './places.pure';

export type BulkheadOptions = z.input<typeof bulkheadOptions> & {
  /** The resource's name, for errors and metrics. */
  readonly name?: string;
  readonly onRefused?: (error: BulkheadFullError) => void;
  readonly clock?: Clock;
};

export interface BulkheadState {
  readonly concurrency: number;
  readonly running: number;
  readonly borrowed: number;
  readonly waiting: number;
  /** Calls that gave their place up after `holdLimit`, since the bulkhead was made. */
  readonly abandoned: number;
}

/** A call that has a place. */
interface Holder {
  readonly tenant: string;
  readonly since: number;
  /** Calls at a time when it began, with itself. */
  readonly running: number;
}

interface Waiter {
  readonly tenant: string;
  readonly admitted: () => void;
}

/**
 * Bounds how many calls use a resource at a time, of all tenants and of each one. Who finds no place waits in a queue in
 * which tenants take turns. A call keeps its place until it has really ended, also when its caller has given up:
 * otherwise calls that ignore their signal would pile up behind it.
 */
export class Bulkhead implements Policy {
  readonly name: string;
  private readonly options: z.output<typeof bulkheadOptions>;
  private readonly onRefused: BulkheadOptions['onRefused'];
  private readonly clock: Clock;
  private readonly rules: { -readonly [Rule in keyof PlaceRules]: PlaceRules[Rule] };
  private gradient: Gradient;
  /** In the order in which they began, so that the first one is the oldest. */
  private readonly holders = new Set<Holder>();
  private readonly ofTenant = new Map<string, number>();
  private readonly queue = new FairQueue<Waiter>();
  private borrowed = 0;
  private abandoned = 0;

  /** @throws InvalidInputError naming the option */
  constructor({ name = 'bulkhead', onRefused, clock = monotonicMs, ...options }: BulkheadOptions) {
    this.options = parseOptions(bulkheadOptions, options, 'Bulkhead');
    this.name = name;
    this.onRefused = onRefused;
    this.clock = clock;
    const { concurrency, perTenant = Number.POSITIVE_INFINITY, reserve } = this.options;
    this.rules = { concurrency, perTenant, reserve };
    this.gradient = { limit: concurrency, noLoadMs: 0, samples: 0 };
  }

  /** For calls that belong to no tenant. @throws BulkheadFullError; the call's own error; the signal's reason */
  execute<T>(call: Protected<T>, signal: AbortSignal = NEVER): Promise<T> {
    return this.run('', call, signal);
  }

  /** The same resource for one tenant's calls. */
  of(tenant: string): Policy {
    return { execute: (call, signal = NEVER) => this.run(tenant, call, signal) };
  }

  getState(): BulkheadState {
    return {
      concurrency: this.rules.concurrency,
      running: this.holders.size,
      borrowed: this.borrowed,
      waiting: this.queue.size,
      abandoned: this.abandoned,
    };
  }

  private async run<T>(tenant: string, call: Protected<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    this.reclaim();
    const holder = this.mayHave(tenant) ? this.occupy(tenant) : await this.wait(tenant, signal);
    const ended = (error?: unknown) => {
      this.learn(holder, error instanceof TimeoutExceededError);
      this.leave(holder);
    };
    const answer = begin(call, signal);
    answer.then(() => ended(), ended);
    return untilAborted(answer, signal);
  }

  private mayHave(tenant: string): boolean {
    const { size } = this.holders;
    const occupancy = { running: size, borrowed: this.borrowed };
    return hasPlace(occupancy, this.ofTenant.get(tenant) ?? 0, this.rules);
  }

  private occupy(tenant: string): Holder {
    const own = this.ofTenant.get(tenant) ?? 0;
    if (own >= this.rules.perTenant) this.borrowed += 1;
    this.ofTenant.set(tenant, own + 1);
    const holder = { tenant, since: this.clock(), running: this.holders.size + 1 };
    this.holders.add(holder);
    return holder;
  }

  private leave(holder: Holder): void {
    if (!this.holders.delete(holder)) return;
    const own = this.ofTenant.get(holder.tenant) ?? 0;
    if (own > this.rules.perTenant) this.borrowed -= 1;
    if (own <= 1) this.ofTenant.delete(holder.tenant);
    else this.ofTenant.set(holder.tenant, own - 1);
    this.admitWaiting();
  }

  private admitWaiting(): void {
    for (;;) {
      const waiter = this.queue.take((tenant) => this.mayHave(tenant));
      if (waiter === undefined) return;
      waiter.admitted();
    }
  }

  /** Resolves with a place; its timer and its listener are gone when it has settled. */
  private wait(tenant: string, signal: AbortSignal): Promise<Holder> {
    const { queue, queuePerTenant = queue, queueWait } = this.options;
    if (this.queue.size >= queue) return Promise.reject(this.refusal(tenant, 'queue-full'));
    if (this.queue.sizeOf(tenant) >= queuePerTenant) {
      return Promise.reject(this.refusal(tenant, 'tenant-queue-full'));
    }
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        if (signal !== NEVER) signal.removeEventListener('abort', onAbort);
        this.queue.remove(tenant, waiter);
      };
      const onAbort = () => {
        settle();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        tenant,
        admitted: () => {
          settle();
          resolve(this.occupy(tenant));
        },
      };
      const timer = setTimeout(() => {
        this.reclaim();
        // Reclaiming may have admitted this very call: then it is no longer in the queue and holds a place.
        if (!this.queue.has(tenant, waiter)) return;
        settle();
        reject(this.refusal(tenant, 'waited-too-long'));
      }, queueWait);
      if (signal !== NEVER) signal.addEventListener('abort', onAbort, { once: true });
      this.queue.add(tenant, waiter);
    });
  }

  /** Takes back the places of calls that have not ended in `holdLimit`; most likely they never will. */
  private reclaim(): void {
    const limit = this.clock() - this.options.holdLimit;
    for (const holder of this.holders) {
      if (holder.since > limit) return;
      this.abandoned += 1;
      this.leave(holder);
    }
  }

  private learn(holder: Holder, dropped: boolean): void {
    const { adaptive } = this.options;
    if (adaptive === undefined) return;
    const sample = { ms: this.clock() - holder.since, running: holder.running, dropped };
    this.gradient = nextGradient(this.gradient, sample, adaptive);
    this.rules.concurrency = Math.floor(this.gradient.limit);
  }

  private refusal(tenant: string, reason: BulkheadRefusal): BulkheadFullError {
    const error = new BulkheadFullError(this.name, tenant, reason);
    tell(this.onRefused, error);
    return error;
  }
}
