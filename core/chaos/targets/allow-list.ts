import { closest } from 'fastest-levenshtein';
import type { ChaosTarget } from '../../../config';
import { TargetNotAllowedError } from '../errors';

export type AllowList = Readonly<Record<string, ChaosTarget>>;

/** What the configuration of this host allows under that name. @throws TargetNotAllowedError */
export function allowedTarget(targets: AllowList, name: string): ChaosTarget {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target !== undefined) return target;
  const names = Object.keys(targets);
  const near = names.length === 0 ? '' : ` (did you mean '${closest(name, names)}'?)`;
  throw new TargetNotAllowedError(`target '${name}'`, `it is not in chaos.targets${near}.`);
}

/**
 * What the target is in the world: two names of one thing have the same, and two faults on one thing are refused.
 *
 * @param host for what exists once on every host
 */
export function resourceOf(target: ChaosTarget, host: string): string {
  switch (target.kind) {
    case 'toxiproxy':
      return `toxiproxy ${target.url} ${target.proxy}`;
    case 'process':
      return `process ${host} ${target.pidFile}`;
    case 'postgres':
      return `postgres ${target.database.host}:${target.database.port}`;
    case 'http':
      return `http ${target.url}`;
    case 'program':
      return `program ${host} ${target.path}`;
    case 'host':
      return `host ${host}`;
    case 'scratch-disk':
    case 'backup-repository':
      return `files ${host} ${target.path}`;
    case 'network':
      return `network ${host} ${target.namespace} ${target.device}`;
    case 'calls':
      return `calls ${target.service}`;
    case 'task-queue':
      return `task-queue ${target.taskQueue}`;
  }
}
