import type { Pool } from 'pg';
import type { Config } from '../config';
import type { ChaosHost, ChaosPrograms } from '../core/chaos';
import type { IntentVerifier } from '../core/operators';

/** What the activities of the capability `chaos` work with, on one host. */
export interface ChaosServices {
  readonly config: Config;
  readonly host: ChaosHost;
  readonly programs: ChaosPrograms;
  readonly platform: Pool;
  /** Of the application, for the tenants that an experiment names. */
  readonly application: Pool;
  /** Of this host's activities. */
  readonly taskQueue: string;
  /** Where operators sign. */
  readonly intents?: IntentVerifier;
}
