import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../core/local-stack';

/** A worker process, as its operator would run it, that can be killed. */
export class JobWorker {
  private constructor(private readonly child: ChildProcess) {}

  /** Resolves when it takes work. `control`: the controllers' process. */
  static async start(configFile: string, entry: 'main' | 'control' = 'main'): Promise<JobWorker> {
    const child = spawn(
      process.execPath,
      [join(packageRoot(), 'dist', 'workers', `${entry}.js`), '--metrics-port', '0'],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, CHRONAWFLOW_CONFIG: configFile },
      },
    );
    // An interrupted demo leaves its story in the middle.
    const leave = () => child.kill('SIGKILL');
    process.once('exit', leave);
    child.once('exit', () => process.off('exit', leave));
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the worker ended with ${code ?? signal}`);
    });
    const running = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('"msg":"running"')) resolve();
      });
    });
    await Promise.race([running, ended]);
    // From here on its end is what the demo is about.
    ended.catch(() => undefined);
    return new JobWorker(child);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** It is gone when this returns. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    await exited;
  }
}
