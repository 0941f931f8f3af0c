import type { ActivityRun, ChaosFacts, EndedFault, LoadWindow } from '../core/chaos/types';

type Lists = 'faults' | 'runs' | 'rollbacks' | 'load';
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What the story of an experiment has found out so far; the report is made of it. */
export interface Findings extends Mutable<Omit<ChaosFacts, Lists>> {
  readonly faults: EndedFault[];
  readonly runs: ActivityRun[];
  readonly rollbacks: ActivityRun[];
  load?: LoadWindow[];
}
