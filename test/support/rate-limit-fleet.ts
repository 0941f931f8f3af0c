import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { LeaseStatistics } from '../../core/rate-limit';
import type { ConnectionSettings } from '../../database';
import { until } from './until';

interface Shared {
  readonly global: { readonly localShare: number };
}
export interface FleetWindow extends Shared {
  readonly kind: 'fixed-window' | 'sliding-window';
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}
export interface FleetBucket extends Shared {
  readonly kind: 'token-bucket';
  readonly capacity: number;
  readonly refillPerSecond: number;
}
export type FleetRule = FleetWindow | FleetBucket;

export type MemberStatistics = LeaseStatistics & { readonly asked: number };

const statistics = z.object({
  leases: z.number(),
  statements: z.number(),
  failures: z.number(),
  lost: z.boolean(),
  asked: z.number(),
});

const ROOT = join(__dirname, '..', '..');

/** One process with a part of the load; see `rate-limit-process.ts`. */
export class FleetMember {
  /** Admitted units by millisecond of the host's clock, which is the database's as well. */
  readonly admitted = new Map<number, number>();
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private ready = false;
  private statistics: MemberStatistics | undefined;

  constructor(connection: ConnectionSettings, rule: FleetRule, load: number) {
    const program = join(__dirname, 'rate-limit-process.ts');
    this.child = spawn(
      process.execPath,
      ['-r', join(ROOT, 'scripts', 'register.cjs'), program, JSON.stringify({ connection, rule, load })],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.ended = once(this.child, 'exit');
    if (this.child.stdout === null) throw new Error('the member has no output');
    createInterface(this.child.stdout).on('line', (line) => this.read(line));
  }

  async started(): Promise<void> {
    await until(() => this.ready, { limitMs: 60_000, what: 'a member of the fleet to start' });
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop(): Promise<MemberStatistics> {
    this.child.stdin?.end('stop\n');
    await until(() => this.statistics !== undefined || this.child.exitCode !== null, {
      limitMs: 60_000,
      what: 'a member of the fleet to end',
    });
    await this.ended;
    if (this.statistics === undefined)
      throw new Error(`a member of the fleet ended with ${this.child.exitCode}`);
    return this.statistics;
  }

  private read(line: string): void {
    if (line === 'ready') {
      this.ready = true;
    } else if (line.startsWith('done ')) {
      this.statistics = statistics.parse(JSON.parse(line.slice('done '.length)));
    } else {
      const [at = Number.NaN, units = Number.NaN] = line.split(' ').map(Number);
      this.admitted.set(at, (this.admitted.get(at) ?? 0) + units);
    }
  }
}

/** What all members together admitted. */
export class FleetRecord {
  private readonly byMs = new Map<number, number>();

  constructor(members: readonly FleetMember[]) {
    for (const { admitted } of members)
      for (const [at, units] of admitted) this.byMs.set(at, (this.byMs.get(at) ?? 0) + units);
  }

  between(from: number, to: number): number {
    let units = 0;
    for (const [at, some] of this.byMs) if (at >= from && at < to) units += some;
    return units;
  }

  /** Units in each whole window of the clock between the two times, in order. Default: those after the fleet's start and before its end. */
  windows(
    windowMs: number,
    from = Math.min(...this.byMs.keys()) + 1,
    to = Math.max(...this.byMs.keys()),
  ): number[] {
    const first = Math.ceil(from / windowMs);
    const last = Math.floor(to / windowMs);
    const units: number[] = [];
    for (let window = first; window < last; window += 1)
      units.push(this.between(window * windowMs, (window + 1) * windowMs));
    return units;
  }

  /** The least capacity with which a bucket of this rate would have let all of it pass. */
  neededCapacity(refillPerSecond: number): number {
    let missing = 0;
    let capacity = 0;
    let last = Number.NaN;
    for (const [at, units] of [...this.byMs].sort(([a], [b]) => a - b)) {
      missing = Math.max(0, missing - ((at - last || 1) * refillPerSecond) / 1_000) + units;
      capacity = Math.max(capacity, missing);
      last = at;
    }
    return capacity;
  }

  /** Most units in any interval of this length. */
  mostWithin(intervalMs: number): number {
    const times = [...this.byMs].sort(([a], [b]) => a - b);
    let most = 0;
    let inside = 0;
    let oldest = 0;
    for (const [at, units] of times) {
      inside += units;
      for (; (times[oldest]?.[0] ?? at) <= at - intervalMs; oldest += 1) inside -= times[oldest]?.[1] ?? 0;
      most = Math.max(most, inside);
    }
    return most;
  }
}
