import type { PlannedFault, PlannedStep } from './types';

/** Steps of a game day as people are asked for them; the same for the workflow that asks and for the step that was let begin. */

export function injectionStep(faults: readonly Pick<PlannedFault, 'driver' | 'target'>[]): string {
  return `inject ${faults.map(({ driver, target }) => `${driver} into ${target}`).join(', ') || 'nothing'}`;
}

export function methodStep({ type, name }: Pick<PlannedStep, 'type' | 'name'>): string {
  return `${type} ${name}`;
}
