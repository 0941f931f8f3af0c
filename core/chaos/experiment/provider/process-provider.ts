import { spawn } from 'node:child_process';
import { basename, isAbsolute } from 'node:path';
import { hasCode } from '../../../errors';
import { withTimeLimit } from '../../../time-limit';
import { TargetNotAllowedError } from '../../errors';
import type { AllowList } from '../../targets';
import type { Provider } from '../experiment';

export type ProcessProvider = Extract<Provider, { readonly type: 'process' }>;

export interface ProcessAnswer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_LIMIT_MS = 30_000;
const MOST_CHARACTERS = 65_536;
/** What programs need to find each other; nothing of this process's secrets. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'];

/**
 * Chaos Toolkit's provider `process`: a program of the allow-list, without a shell, in a process group that ends with it.
 *
 * @throws TargetNotAllowedError, or why it came to no end
 */
export async function callProcess(
  provider: ProcessProvider,
  targets: AllowList,
  signal: AbortSignal,
): Promise<ProcessAnswer> {
  const path = allowedProgram(String(provider.path), targets);
  const seconds = Number(provider.timeout ?? 0);
  const limit = seconds > 0 ? Math.min(seconds * 1_000, 300_000) : DEFAULT_LIMIT_MS;
  const bounded = withTimeLimit(signal, limit);
  const base = Object.fromEntries(
    PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  const child = spawn(path, argumentsOf(provider.arguments), {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...base, ...provider.env },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] = (output[name] + text).slice(-MOST_CHARACTERS);
    });
  }
  return new Promise((resolve, reject) => {
    const end = () => {
      killGroup(child.pid);
      reject(signal.aborted ? signal.reason : new Error(`no end within ${limit} ms`));
    };
    bounded.addEventListener('abort', end, { once: true });
    child.once('error', reject);
    child.once('close', (code) => {
      bounded.removeEventListener('abort', end);
      resolve({ status: code ?? -1, ...output });
    });
  });
}

/** The allowed program's own path. @throws TargetNotAllowedError */
export function allowedProgram(path: string, targets: AllowList): string {
  const found = Object.values(targets).find(
    (target) =>
      target.kind === 'program' && (isAbsolute(path) ? target.path === path : basename(target.path) === path),
  );
  if (found?.kind === 'program') return found.path;
  throw new TargetNotAllowedError(`program ${path}`, 'no target of kind program has it.');
}

/** A list as it is; a mapping as options and their values, those without one alone; a text as a shell would split it. */
export function argumentsOf(given: ProcessProvider['arguments']): string[] {
  if (given === undefined || given === null) return [];
  if (Array.isArray(given)) return given.map(String);
  if (typeof given === 'object')
    return Object.entries(given).flatMap(([name, value]) =>
      value === null || value === undefined || value === '' ? [name] : [name, String(value)],
    );
  return [...given.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double?.replaceAll(/\\(.)/g, '$1') ?? single ?? bare ?? '',
  );
}

function killGroup(leader: number | undefined): void {
  try {
    if (leader !== undefined) process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
