import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { ConnectionSettings } from '../../database';
import { until } from './until';

const event = z.object({
  kind: z.string().optional(),
  reason: z.string().optional(),
  observer: z.string().optional(),
  reachable: z.boolean().optional(),
  calls: z.number().optional(),
});

const ROOT = join(__dirname, '..', '..');

/** One process with a shared breaker; see `breaker-process.ts`. */
export class BreakerMember {
  /** Of its breaker, as last told. */
  kind = '';
  reason: string | undefined;
  reachable = true;
  calls = 0;
  observer = '';
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(connection: ConnectionSettings, breakFor: number) {
    this.child = spawn(
      process.execPath,
      [
        '-r',
        join(ROOT, 'scripts', 'register.cjs'),
        join(__dirname, 'breaker-process.ts'),
        JSON.stringify({ connection, breakFor }),
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.ended = once(this.child, 'exit');
    if (this.child.stdout === null) throw new Error('the member has no output');
    createInterface(this.child.stdout).on('line', (line) => this.read(line));
  }

  /** Tells it how it sees the service from now on. */
  sees(service: 'up' | 'down'): void {
    this.child.stdin?.write(`${service}\n`);
  }

  async is(kind: string): Promise<void> {
    await this.until(() => this.kind === kind, `its breaker to be ${kind}`);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const alive = () => {
      if (this.child.exitCode !== null) throw new Error(`a member ended with ${this.child.exitCode}`);
      return condition();
    };
    await until(alive, { limitMs: 60_000, what: `${this.observer} and ${what}` });
  }

  /** Waits until it has made calls from now on: it is not held up by anything. */
  async goesOn(): Promise<void> {
    const before = this.calls;
    await this.until(() => this.calls >= before + 20, 'its calls to go on');
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** @returns its exit code */
  async stop(): Promise<number | null> {
    this.child.stdin?.end('stop\n');
    await this.ended;
    return this.child.exitCode;
  }

  private read(line: string): void {
    const { kind, reason, observer, reachable, calls } = event.parse(JSON.parse(line));
    if (kind !== undefined) {
      this.kind = kind;
      this.reason = reason;
    }
    this.observer = observer ?? this.observer;
    this.reachable = reachable ?? this.reachable;
    this.calls = calls ?? this.calls;
  }
}
