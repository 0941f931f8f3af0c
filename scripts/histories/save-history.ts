import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RealTemporal } from '../../test/support/temporal-server';

const run = promisify(execFile);
const DIRECTORY = join(__dirname, '..', '..', 'test', 'workflow', 'histories');

const fileOf = (name: string) => join(DIRECTORY, `${name}.json`);

/** A history that is there stays: it stands for runs of its time. */
export function isRecorded(name: string): boolean {
  return existsSync(fileOf(name));
}

/** Writes an ended run's history where the replay test finds it. @param runId default the latest */
export async function saveHistory(
  temporal: RealTemporal,
  workflowId: string,
  name: string,
  runId?: string,
): Promise<void> {
  const which = ['--workflow-id', workflowId, ...(runId === undefined ? [] : ['--run-id', runId])];
  const shown = await run(
    temporal.cli,
    ['workflow', 'show', ...which, '--address', temporal.address, '--output', 'json'],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  mkdirSync(DIRECTORY, { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(JSON.parse(shown.stdout, withoutStacks))}\n`);
}

/** Stack traces name the paths of this machine and mean nothing to a replay. */
function withoutStacks(key: string, value: unknown): unknown {
  return key === 'stackTrace' ? undefined : value;
}
