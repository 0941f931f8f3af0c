import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endFault } from '../end-fault';
import type { ChaosHost } from '../host';
import {
  type EndReason,
  type FaultLease,
  hostTime,
  isAlive,
  overBecause,
  type ProcessRef,
  processRef,
  refOf,
} from '../lease';
import { readJson, writeDurably } from '../lease/durable-file';
import { type GuardStart, isUnderWay } from './guard-start';
import { reconcile } from './reconcile';

export type GuardName = 'a' | 'b';

export interface GuardOptions {
  readonly name: GuardName;
  /** Starts the other one in a session of its own. */
  readonly startOther: (name: GuardName) => Promise<ProcessRef | undefined>;
  /** Without faults for so long, the guard ends; Infinity for the one that the boot unit runs. */
  readonly idleMs: number;
}

const TICK_MS = 200;
/** Guard b leaves a due fault to guard a for a moment: two would only do the same work twice. */
const HEAD_START_MS = { a: 0, b: 400 } as const;
const RECONCILE_EVERY_MS = 1_000;

/**
 * One of the two guards of a host. Each ends every fault whose lease is over, and starts the other one when it is dead; both
 * acknowledge a lease before its fault is injected. Should a guard be started twice, the later one stays.
 */
export class Guard {
  private readonly acknowledged = new Set<string>();
  private readonly ending = new Set<string>();
  private readonly unreadable = new Set<string>();
  private idleSince = performance.now();
  private otherStart: GuardStart | undefined;
  private reconciledAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly host: ChaosHost,
    private readonly options: GuardOptions,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const self = await refOf(process.pid);
    if (self === undefined) return;
    await this.claim(self);
    while (!signal.aborted && (await this.isMine(self))) {
      try {
        await this.tick(self, signal);
      } catch (error) {
        this.host.log.error({ err: error }, 'a round of the guard failed; the next one tries again');
      }
      if (performance.now() - this.idleSince > this.options.idleMs) return;
      await sleep(TICK_MS);
    }
  }

  private async tick(self: ProcessRef, signal: AbortSignal): Promise<void> {
    await this.keepOther(self, signal);
    const { leases, unreadable } = await this.host.journal.all();
    if (leases.length > 0 || unreadable.length > 0) this.idleSince = performance.now();
    for (const { id, reason } of unreadable) {
      if (!this.unreadable.has(id)) this.host.log.error({ lease: id, reason }, 'a lease cannot be read');
      this.unreadable.add(id);
    }
    await Promise.all(leases.map((lease) => this.look(lease)));
    this.bringUpToDate();
  }

  private async look(lease: FaultLease): Promise<void> {
    const { journal } = this.host;
    if (!this.acknowledged.has(lease.id)) {
      await journal.mark(lease.id, `guard-${this.options.name}`);
      this.acknowledged.add(lease.id);
    }
    const { bootId, uptimeMs } = hostTime();
    const now = { bootId, uptimeMs: uptimeMs - HEAD_START_MS[this.options.name] };
    const reason = overBecause(lease, await journal.renewedMs(lease.id), now);
    if (reason !== undefined) this.end(lease, reason);
  }

  /** Not waited for: one fault that resists must not keep the others. */
  private end(lease: FaultLease, reason: EndReason): void {
    if (this.ending.has(lease.id)) return;
    this.ending.add(lease.id);
    endFault(this.host, lease, { by: `guard-${this.options.name}`, reason })
      .catch((error: unknown) => this.host.log.error({ lease: lease.id, err: error }, 'a fault resists'))
      .finally(() => this.ending.delete(lease.id));
  }

  private bringUpToDate(): void {
    if (this.host.store === undefined || performance.now() - this.reconciledAt < RECONCILE_EVERY_MS) return;
    this.reconciledAt = Number.POSITIVE_INFINITY;
    reconcile(this.host, this.host.store, (lease, reason) => this.end(lease, reason))
      // The control plane is away; the journal is what counts.
      .catch(() => undefined)
      .finally(() => {
        this.reconciledAt = performance.now();
      });
  }

  private async keepOther(self: ProcessRef, signal: AbortSignal): Promise<void> {
    const other: GuardName = this.options.name === 'a' ? 'b' : 'a';
    const ref = await readGuard(this.host.journal.directory, other);
    if (ref !== undefined && (await isAlive(ref))) return;
    if (await isUnderWay(this.otherStart)) return;
    // One that was told to end, or whose place another one has taken meanwhile, starts nobody any more.
    if (signal.aborted || !(await this.isMine(self))) return;
    this.otherStart = { at: performance.now(), ref: await this.options.startOther(other) };
  }

  private claim(self: ProcessRef): Promise<void> {
    return writeDurably(recordOf(this.host.journal.directory, this.options.name), self);
  }

  private async isMine(self: ProcessRef): Promise<boolean> {
    const now = await readGuard(this.host.journal.directory, this.options.name);
    // Somebody removed the record: as long as there is work, this one stays; with the whole journal gone there is none.
    if (now === undefined) return existsSync(this.host.journal.directory);
    return now.pid === self.pid && now.startedAt === self.startedAt;
  }
}

function recordOf(directory: string, name: GuardName): string {
  return join(directory, `guard-${name}.json`);
}

/** The guard's process as it has recorded itself; it may be dead. */
export function readGuard(directory: string, name: GuardName): Promise<ProcessRef | undefined> {
  return readJson(recordOf(directory, name), processRef).catch(() => undefined);
}
