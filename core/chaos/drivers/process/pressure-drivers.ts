import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isExecutable } from '../../../cluster';
import { DependencyMissingError, whenMissing } from '../../../errors';
import { defineDriver } from '../define-driver';
import type { AnyDriver, TargetOf } from '../driver';
import { killMarked, LEASE_VARIABLE, markedProcesses } from './marked-processes';

type Host = TargetOf<'host'>;
type Nothing = Record<never, never>;
const nothing = z.strictObject({});

interface Pressure<P extends object> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: z.ZodType<P>;
  /** Arguments of stress-ng. */
  readonly arguments: (parameters: P, target: Host, leaseId: string) => readonly string[];
  /** Whether it writes into the target's directory. */
  readonly writes?: boolean;
}

/** stress-ng ends by itself at `--timeout`; should it hang, coreutils' `timeout` kills it a second later. */
function pressureDriver<P extends object>(kind: Pressure<P>): AnyDriver {
  return defineDriver<'host', P, Nothing>({
    name: kind.name,
    targetKind: 'host',
    summary: kind.summary,
    parameters: kind.parameters,
    saved: nothing,
    afterPowerLoss: 'gone',
    boundedBy: 'its own process',
    prepare: async ({ parameters, target, leaseId }) => {
      await stressNg();
      kind.arguments(parameters, target, leaseId);
      return {};
    },
    inject: async ({ leaseId, target, parameters, remainingMs }) => {
      if (kind.writes) await mkdir(workDirectory(target, leaseId), { recursive: true });
      const seconds = Math.max(1, Math.ceil(remainingMs / 1_000));
      const child = spawn(
        'timeout',
        [
          '-k',
          '1',
          String(seconds),
          await stressNg(),
          '--timeout',
          `${seconds}s`,
          ...kind.arguments(parameters, target, leaseId),
        ],
        { stdio: 'ignore', detached: true, env: { ...process.env, [LEASE_VARIABLE]: leaseId } },
      );
      await once(child, 'spawn');
      child.unref();
    },
    remove: async ({ leaseId, target }) => {
      await killMarked(leaseId);
      for (const place of await leftFiles(target, leaseId)) await rm(place, { recursive: true, force: true });
    },
    isThere: async ({ leaseId, target }) =>
      (await markedProcesses(leaseId)).length > 0 || (await leftFiles(target, leaseId)).length > 0,
  });
}

async function stressNg(): Promise<string> {
  for (const place of ['/usr/bin/stress-ng', '/usr/local/bin/stress-ng', '/opt/homebrew/bin/stress-ng'])
    if (await isExecutable(place)) return place;
  throw new DependencyMissingError('stress-ng is not installed.', {
    hint: 'Install the package stress-ng (Debian, Ubuntu, Fedora, Homebrew), or choose another fault.',
  });
}

function workDirectory(target: Host, leaseId: string): string {
  if (target.directory === undefined)
    throw new DependencyMissingError('The target has no directory for disk pressure.', {
      hint: 'Give it `directory`.',
    });
  return join(target.directory, `chaos-${leaseId}`);
}

async function leftFiles({ directory }: Host, leaseId: string): Promise<string[]> {
  if (directory === undefined) return [];
  const names = await readdir(directory).catch(whenMissing<string[]>([]));
  return names.filter((name) => name === `chaos-${leaseId}`).map((name) => join(directory, name));
}

export const pressureDrivers: readonly AnyDriver[] = [
  pressureDriver({
    name: 'pressure.cpu',
    summary: 'processors are kept busy, at most the target’s `maxCpus`',
    parameters: z.strictObject({
      cpus: z.number().int().min(1).default(1),
      load: z.number().int().min(1).max(100).default(100),
    }),
    arguments: ({ cpus, load }, { maxCpus }) => [
      '--cpu',
      String(Math.min(cpus, maxCpus)),
      '--cpu-load',
      String(load),
    ],
  }),
  pressureDriver({
    name: 'pressure.memory',
    summary: 'memory is held, at most the target’s `maxMemory`',
    parameters: z.strictObject({ bytes: z.number().int().min(4_096) }),
    arguments: ({ bytes }, { maxMemory }) => [
      '--vm',
      '1',
      '--vm-keep',
      '--vm-bytes',
      String(Math.min(bytes, maxMemory)),
    ],
  }),
  pressureDriver({
    name: 'pressure.disk',
    summary: 'files are written and flushed in the target’s directory',
    parameters: z.strictObject({
      workers: z.number().int().min(1).max(8).default(1),
      bytes: z.number().int().min(1_048_576).default(16_777_216),
    }),
    writes: true,
    arguments: ({ workers, bytes }, target, leaseId) => [
      '--hdd',
      String(workers),
      '--hdd-bytes',
      String(bytes),
      '--temp-path',
      workDirectory(target, leaseId),
    ],
  }),
];
