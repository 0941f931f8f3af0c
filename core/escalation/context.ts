import type { Pool } from 'pg';
import type { Config } from '../../config';

/** What the steps of an escalation work with; closed by whoever made it. */
export interface EscalationContext {
  readonly config: Pick<Config, 'escalation'>;
  readonly platform: Pool;
}
