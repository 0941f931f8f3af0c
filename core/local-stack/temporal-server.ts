import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { detachedStatus, runProgram, startDetached, stopDetached } from '../cluster';
import type { ProcessPlace } from './layout.pure';
import type { PartStatus, StackPart, StartControl } from './part';
import { PartFailedError } from './part-failed-error';

/** What operators search executions by; ten of this kind is the server's limit. */
export const SEARCH_ATTRIBUTES = ['TenantId', 'Capability', 'Phase', 'Outcome'] as const;

export interface TemporalOptions {
  readonly program: string;
  readonly place: ProcessPlace;
  /** SQLite file; without one the server forgets everything when it ends. */
  readonly database?: string;
  readonly port: number;
  /** Without one there is no Web UI. */
  readonly webPort?: number;
  /** Further `key=value` of the server's dynamic configuration. */
  readonly dynamicConfig?: readonly string[];
}

const READY_LIMIT_MS = 60_000;

/** Temporal's dev server, with its history in a file, the Web UI, and the search attributes. */
export function temporalServer(options: TemporalOptions): StackPart {
  const address = `127.0.0.1:${options.port}`;
  return {
    name: 'temporal',
    async start(control: StartControl) {
      await mkdir(options.place.directory, { recursive: true, mode: 0o700 });
      if (options.database !== undefined) await mkdir(dirname(options.database), { recursive: true });
      control.progress('starting the server');
      await startDetached({
        file: options.program,
        args: serverArguments(options),
        recordFile: options.place.recordFile,
        logFile: options.place.logFile,
      });
      const present = await waitUntilReady(options, address, control.signal);
      // `--search-attribute` counts only when the file is new, so add what an older file lacks.
      for (const name of SEARCH_ATTRIBUTES.filter((wanted) => !present.has(wanted))) {
        control.progress(`search attribute ${name}`);
        await runProgram(
          options.program,
          [
            'operator',
            'search-attribute',
            'create',
            '--address',
            address,
            '--name',
            name,
            '--type',
            'Keyword',
          ],
          { signal: control.signal, timeoutMs: READY_LIMIT_MS },
        );
      }
    },
    stop: () => stopDetached(options.place.recordFile),
    async status(): Promise<PartStatus> {
      const process = await detachedStatus(options.place.recordFile);
      if (process.kind === 'stopped') return { kind: 'stopped' };
      const web = options.webPort === undefined ? '' : `, Web UI http://127.0.0.1:${options.webPort}`;
      return { kind: 'running', pid: process.pid, startedAt: process.startedAt, where: `${address}${web}` };
    },
  };
}

export function serverArguments(options: Omit<TemporalOptions, 'program' | 'place'>): string[] {
  return [
    'server',
    'start-dev',
    '--ip=127.0.0.1',
    `--port=${options.port}`,
    ...(options.webPort === undefined ? ['--headless'] : [`--ui-port=${options.webPort}`]),
    ...(options.database === undefined
      ? []
      : [
          `--db-filename=${options.database}`,
          // Without these two a workflow task waits for several fsyncs: 10 workflows/s instead of 50 to 70.
          '--sqlite-pragma=journal_mode=WAL',
          '--sqlite-pragma=synchronous=NORMAL',
        ]),
    // Priorities and fairness between tenants.
    '--dynamic-config-value=matching.useNewMatcher=true',
    '--dynamic-config-value=matching.enableFairness=true',
    // Each partition of a queue is fair for itself: only one of them is fair as a whole.
    '--dynamic-config-value=matching.numTaskqueueReadPartitions=1',
    '--dynamic-config-value=matching.numTaskqueueWritePartitions=1',
    ...(options.dynamicConfig ?? []).map((setting) => `--dynamic-config-value=${setting}`),
    ...SEARCH_ATTRIBUTES.map((name) => `--search-attribute=${name}=Keyword`),
    '--log-level=error',
  ];
}

const attributeList = z.object({ customAttributes: z.record(z.string(), z.string()).nullish() });

/** Ready means: the frontend answers for the namespace. Returns the search attributes that are there. */
async function waitUntilReady(
  options: TemporalOptions,
  address: string,
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const limit = Date.now() + READY_LIMIT_MS;
  for (;;) {
    const answer = await runProgram(
      options.program,
      ['operator', 'search-attribute', 'list', '--address', address, '--output', 'json'],
      { signal, timeoutMs: 10_000 },
    ).catch((error: Error) => {
      signal?.throwIfAborted();
      return error;
    });
    if (!(answer instanceof Error)) {
      const { customAttributes } = attributeList.parse(JSON.parse(answer.stdout));
      return new Set(Object.keys(customAttributes ?? {}));
    }
    const { kind } = await detachedStatus(options.place.recordFile);
    if (kind === 'stopped' || Date.now() > limit) {
      const log = (await readFile(options.place.logFile, 'utf8')).trimEnd().split('\n').slice(-5).join('\n');
      throw new PartFailedError(
        'temporal',
        kind === 'stopped' ? 'it ended at once' : 'it does not answer',
        log,
        answer,
      );
    }
    await sleep(50);
  }
}
