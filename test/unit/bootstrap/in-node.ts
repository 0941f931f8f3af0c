import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository. */
export const root = join(__dirname, '..', '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** The bootstrap leaves apt alone without root. Where apt is the test's own, and needs none, the statements begin with this. */
export const AS_ROOT = 'process.getuid = () => 0;';

/**
 * Runs statements as an ES module in a Node of its own, because that is where the bootstrap lives: jest cannot load
 * its modules. The statements may import from 'bootstrap/…', 'build/…' and 'targets/…', and print JSON.
 */
export function startInNode(statements: string, env: NodeJS.ProcessEnv = process.env): Running {
  const code = statements.replace(
    /from '(bootstrap|build|targets)\//g,
    (_match, folder) => `from '${root}/scripts/${folder}/`,
  );
  return start(['--input-type=module', '-e', code], env);
}

/** The result that the statements print as JSON. */
export async function resultInNode(statements: string, env?: NodeJS.ProcessEnv): Promise<unknown> {
  const { code, stdout, stderr } = await startInNode(statements, env).ended;
  if (code !== 0) throw new Error(`ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** The bootstrap itself, as npm runs it. */
export function startBootstrap(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  return start([join(root, 'scripts', 'bootstrap.mjs'), ...args], env);
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended };
}

/** Writes an executable shell script. */
export function writeScript(path: string, body: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

/** A directory that serves as the whole PATH: only these system programs, and what the test adds. */
export function isolatedPath(directory: string, programs: readonly string[]): string {
  mkdirSync(directory, { recursive: true });
  for (const program of programs) {
    const found = ['/usr/bin', '/bin'].map((parent) => join(parent, program)).find(existsSync);
    if (found === undefined) throw new Error(`${program} is not on this machine`);
    symlinkSync(found, join(directory, program));
  }
  return directory;
}

/** What the bootstrap found for this run of the tests: for a test that makes one part only. */
export function partsOfThisRun(): NodeJS.ProcessEnv {
  const names = [
    'TEMPORAL_CLI',
    'POSTGRES_BIN',
    'PGBACKREST',
    'TOXIPROXY',
    'PROMTOOL',
    'ALERTMANAGER',
    'TLOG_VERIFIER',
  ];
  return Object.fromEntries(names.map((name) => [`CHRONAWFLOW_${name}`, process.env[`CHRONAWFLOW_${name}`]]));
}
