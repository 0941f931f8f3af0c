import type { ProcessState } from './store/read-processes';

export interface Straggler {
  readonly name: string;
  readonly why: string;
}

/** Live processes that have not applied a scope's version yet, and why. */
export function stragglers(
  processes: readonly Pick<ProcessState, 'name' | 'applied' | 'failed'>[],
  scope: string,
  version: number,
): Straggler[] {
  return processes.flatMap(({ name, applied, failed }) => {
    const at = applied[scope];
    if (at !== undefined && at >= version) return [];
    const components = Object.entries(failed).map(([component, why]) => `${component}: ${why}`);
    const why = components.length > 0 ? components.join('; ') : `it is at version ${at ?? 'none'}`;
    return [{ name, why }];
  });
}
