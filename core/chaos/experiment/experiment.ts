import type { z } from 'zod';
import type { configurationValue, extension, provider, tolerance } from './schema';

export type Provider = Exclude<z.output<typeof provider>, { readonly type: 'python' }>;
export type Tolerance = z.output<typeof tolerance>;
export type ConfigurationValue = z.output<typeof configurationValue>;
export type ChaosExtension = z.output<typeof extension>;
export type AbortCondition = ChaosExtension['abort-conditions'][number];

/** A probe or an action. Other keys that were written beside these are kept for the journal. */
export interface Activity {
  readonly type: 'probe' | 'action';
  readonly name: string;
  readonly provider: Provider;
  readonly tolerance?: Tolerance;
  readonly background: boolean;
  /** Seconds. */
  readonly pauses?: { readonly before?: number | string; readonly after?: number | string };
}

/** An experiment whose references are resolved: every activity stands where it is used. */
export interface Experiment {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly configuration: Readonly<Record<string, ConfigurationValue>>;
  /** Group → name → variable of the environment. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly hypothesis: { readonly title: string; readonly probes: readonly Activity[] } | undefined;
  readonly method: readonly Activity[];
  readonly rollbacks: readonly Activity[];
  /** What has to come true while the faults are there. */
  readonly during: readonly Activity[];
  readonly chaos: ChaosExtension;
  /** As it was written, for the journal. */
  readonly document: Readonly<Record<string, unknown>>;
}
