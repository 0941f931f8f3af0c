import type { Pool } from 'pg';
import type { Config } from '../../config';

/** What the steps of a containment work with; closed by whoever made it. */
export interface ContainmentContext {
  readonly config: Config;
  readonly platform: Pool;
  readonly application: Pool;
  /** Core types among the application's jobs, of one type or of all: what a hold would stop. */
  coreTypes(type?: string): Promise<readonly string[]>;
}

/** How a long step hears that it shall stop. */
export interface StepControl {
  readonly signal?: AbortSignal;
}
