import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..', '..');

/** The controllers' process as a supervisor runs it: when it dies, it is started again. */
export interface SupervisedWorker {
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Needs the build. */
export function superviseControlWorker(configFile: string): SupervisedWorker {
  let child: ChildProcess | undefined;
  const directory = join(dirname(configFile), 'control');
  let stopped = false;
  const start = () => {
    if (stopped) return;
    child = spawn(process.execPath, [join(root, 'dist', 'workers', 'control.js'), '--metrics-port', '0'], {
      stdio: 'ignore',
      env: { ...process.env, CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_LOG_LEVEL: 'silent' },
    });
    child.once('exit', start);
    // For who sweeps up when this process is killed.
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'process.json'), JSON.stringify({ pid: child.pid }));
  };
  start();
  // A test or benchmark that breaks off must not leave it behind.
  const leave = () => {
    stopped = true;
    child?.kill('SIGKILL');
  };
  process.once('exit', leave);
  return {
    get pid() {
      return child?.pid;
    },
    stop: async () => {
      stopped = true;
      process.off('exit', leave);
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
