import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidInputError, messageOf } from '../errors';
import type { Job } from './define-job';

/**
 * The jobs of the application's own modules: each exports `jobs`, or its default export is, a list of what defineJob
 * returned. CommonJS and ES modules both work.
 *
 * @throws InvalidInputError naming the module
 */
export async function loadJobs(modules: readonly string[]): Promise<Job[]> {
  const lists = await Promise.all(modules.map(loadModule));
  return lists.flat();
}

/** By type. @throws InvalidInputError when two jobs have one type */
export function jobsByType(jobs: readonly Job[]): Map<string, Job> {
  const byType = new Map<string, Job>();
  for (const job of jobs) {
    if (byType.has(job.type) && byType.get(job.type) !== job) {
      throw new InvalidInputError(`Two jobs have the type '${job.type}'.`);
    }
    byType.set(job.type, job);
  }
  return byType;
}

async function loadModule(path: string): Promise<Job[]> {
  const file = resolve(path);
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new InvalidInputError(`The job module ${file} cannot be loaded: ${messageOf(cause)}`, {
      cause,
      hint: 'It is named under `jobs.modules` in chronawflow.yaml, relative to that file, and has to be JavaScript.',
    });
  }
  const list =
    member(loaded, 'jobs') ?? member(member(loaded, 'default'), 'jobs') ?? member(loaded, 'default');
  if (!Array.isArray(list) || !list.every(isJob)) {
    throw new InvalidInputError(`The job module ${file} exports no list of jobs.`, {
      hint: 'export const jobs = [defineJob({ … })];',
    });
  }
  return list;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isJob(value: unknown): value is Job {
  return (
    typeof member(value, 'type') === 'string' &&
    typeof member(value, 'run') === 'function' &&
    typeof member(value, 'check') === 'function' &&
    typeof member(value, 'policy') === 'object'
  );
}
