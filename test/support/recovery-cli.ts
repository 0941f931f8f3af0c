import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { type Ground, Scene, startGround } from '../workflow/support/workflow-run';
import { onTerminal } from './terminal';

const ROOT = join(__dirname, '..', '..');
/** Of the built program: what is tried is what is shipped. */
export const CLI_MAIN = join(ROOT, 'dist', 'client', 'cli', 'main.js');

export interface Called {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** For one test file: ground for all its tests, and for each a scene with a worker and the command line's configuration. */
export function useRecoveryCli() {
  let ground: Ground;
  let scene: Scene;
  let configFile: string;

  beforeAll(async () => {
    // A build without changes takes about a second.
    await Promise.all([
      promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]),
      startGround().then((started) => {
        ground = started;
      }),
    ]);
  }, 240_000);
  afterAll(() => ground?.stop());
  beforeEach(async () => {
    scene = new Scene(ground);
    await scene.startWorker();
    configFile = join(ground.temporal.directory, `${scene.taskQueue}.yaml`);
    await writeFile(configFile, stringify(scene.rawConfig));
  });
  afterEach(() => scene.stopWorker());

  /** The CLI as a process of its own, without a terminal. */
  const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, [CLI_MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_OPERATOR: 'ada', ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Called>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { ended, soFar: () => stdout + stderr };
  };
  const call = (...args: readonly string[]): Promise<Called> => cli(args).ended;

  const restoreArgs = (...more: readonly string[]) => [
    'recovery',
    'restore',
    '--tenant',
    scene.tenant,
    '--to',
    '20m ago',
    '--yes',
    ...more,
  ];

  return {
    cli,
    call,
    restoreArgs,
    /** The CLI on a terminal. */
    typed: (args: readonly string[], columns?: number) =>
      onTerminal([process.execPath, CLI_MAIN, ...args], {
        columns,
        env: { CHRONAWFLOW_CONFIG: configFile, CHRONAWFLOW_OPERATOR: 'ada', NO_COLOR: '1' },
      }),
    /** Starts a restore and waits until people are asked. */
    awaitingRestore: async (): Promise<{ readonly workflowId: string; readonly diffHash: string }> => {
      const started = await call(...restoreArgs('--no-wait', '--json'));
      const { workflowId } = JSON.parse(started.stdout);
      const preview = await call('recovery', 'preview', workflowId, '--json');
      return { workflowId, diffHash: JSON.parse(preview.stdout).diffHash };
    },
    get ground() {
      return ground;
    },
    get scene() {
      return scene;
    },
    get configFile() {
      return configFile;
    },
  };
}
