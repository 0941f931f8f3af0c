import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../core/local-stack';

/** A worker as an operator runs it, in a process of its own that may be hurt. */
export class JobWorkerProcess {
  private child: ChildProcess | undefined;

  constructor(
    private readonly configFile: string,
    private readonly program: 'main' | 'control' = 'main',
  ) {}

  /** Resolves when it takes work. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [join(packageRoot(), 'dist', 'workers', `${this.program}.js`), '--metrics-port', '0'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, CHRONAWFLOW_CONFIG: this.configFile },
      },
    );
    this.child = child;
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes('"msg":"running"')) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`the worker ended with ${code ?? signal}`)));
    });
  }

  /** Whether it ended, by whomever. */
  get gone(): boolean {
    const { child } = this;
    return child !== undefined && (child.exitCode !== null || child.signalCode !== null);
  }

  get pid(): number {
    return this.child?.pid ?? Number.NaN;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(signal);
  }

  /** SIGKILL; it is gone when this returns. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === undefined || this.gone) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
