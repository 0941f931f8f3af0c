import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { endFault } from '../end-fault';
import type { ChaosHost } from '../host';
import { type EndReason, type FaultLease, hostTime, overBecause, type ProcessRef, refOf } from '../lease';
import { claimGuard, type GuardName, isGuardAlive, readGuard } from './guard-record';
import { reconcile } from './reconcile';

export interface GuardOptions {
  readonly name: GuardName;
  /** Starts the other one in a session of its own, unless it is on its way. */
  readonly keepOther: (name: GuardName) => Promise<void>;
  /** Without faults for so long, the guard ends; Infinity for the one that the boot unit runs. */
  readonly idleMs: number;
}

const TICK_MS = 200;
/** Guard b leaves a due fault to a living guard a for a moment: two would only do the same work twice. */
const HEAD_START_MS = 400;
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
  private keeping = false;
  private headStartMs = 0;
  private reconciledAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly host: ChaosHost,
    private readonly options: GuardOptions,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const self = await refOf(process.pid);
    if (self === undefined) return;
    await claimGuard(this.host.journal.directory, this.options.name, self);
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
    const { leases, unreadable } = await this.host.journal.all();
    if (leases.length > 0 || unreadable.length > 0) {
      this.idleSince = performance.now();
      // Without a fault each would start the other one again that has just ended because there is none.
      await this.keepOther(self, signal);
    }
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
      this.makeReady(lease);
    }
    const { bootId, uptimeMs } = hostTime();
    const now = { bootId, uptimeMs: uptimeMs - this.headStartMs };
    const reason = overBecause(lease, await journal.renewedMs(lease.id), now);
    if (reason !== undefined) this.end(lease, reason);
  }

  /** Now rather than when it is due. An unknown driver is told of when its end is tried. */
  private makeReady(lease: FaultLease): void {
    const { drivers, log } = this.host;
    const driver = drivers.all.find(({ name }) => name === lease.driver);
    driver
      ?.makeReady?.()
      .catch((error: unknown) => log.warn({ lease: lease.id, err: error }, 'not made ready'));
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

  /** Its start is not waited for: what is due must not wait for it either. */
  private async keepOther(self: ProcessRef, signal: AbortSignal): Promise<void> {
    const other: GuardName = this.options.name === 'a' ? 'b' : 'a';
    const lives = await isGuardAlive(this.host.journal.directory, other);
    this.headStartMs = lives && other === 'a' ? HEAD_START_MS : 0;
    // One that was told to end, or whose place another one has taken meanwhile, starts nobody any more.
    if (lives || this.keeping || signal.aborted || !(await this.isMine(self))) return;
    this.keeping = true;
    this.options
      .keepOther(other)
      .catch((error: unknown) => this.host.log.error({ err: error }, `guard ${other} cannot be started`))
      .finally(() => {
        this.keeping = false;
      });
  }

  private async isMine(self: ProcessRef): Promise<boolean> {
    const now = await readGuard(this.host.journal.directory, this.options.name);
    // Somebody removed the record: as long as there is work, this one stays; with the whole journal gone there is none.
    if (now === undefined) return existsSync(this.host.journal.directory);
    return now.pid === self.pid && now.startedAt === self.startedAt;
  }
}
