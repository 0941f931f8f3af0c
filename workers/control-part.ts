import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config';
import type { HealthMonitor } from '../core/health';
import type { IntentVerifier } from '../core/operators';

/** What the controllers' process gives to each of its parts; closed by the process. */
export interface ControlServices {
  readonly config: Config;
  readonly log: Logger;
  /** The control plane's database, as the role of `control.database`. */
  readonly platform: Pool;
  /** To start workflows with. */
  readonly temporal: Client;
  /** Of the controllers' workflows. */
  readonly taskQueue: string;
  readonly health: HealthMonitor;
  /** Where operators sign. */
  readonly intents?: IntentVerifier;
}

/**
 * One capability in the controllers' process. Its workflows are exported by workflows/index.ts like all others; they run on
 * this process when they are started on its task queue.
 */
export interface ControlPart {
  /** By the names under which workflows call them; no two parts have the same. */
  readonly activities: object;
  /** Called when the process takes work. */
  start?(): void;
  close?(): Promise<void>;
}

export type CreateControlPart = (services: ControlServices) => ControlPart | Promise<ControlPart>;
