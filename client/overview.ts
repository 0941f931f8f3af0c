import type { Pool } from 'pg';
import type { Config } from '../config';
import { type SealState, sealState } from '../core/audit';
import type { DegradationModesManager, ScopeHealth } from '../core/degradation';
import { messageOf } from '../core/errors';
import { type QueueDepth, readDepths } from '../core/jobs';
import { listSharedBreakers, type SharedBreakerState } from '../core/protection';
import { checkCompliance } from '../core/recovery';
import { type LastDrill, lastDrill } from '../core/recovery/drill';
import type { ComplianceReport } from '../core/recovery/report';

/** One part of the screen, or why it cannot be told now. */
export type Part<T> = { readonly value: T } | { readonly unknown: string };

/** Everything that somebody who is woken wants to see first. */
export interface Overview {
  /** `off` without a section `degradation`. */
  readonly levels: Part<readonly ScopeHealth[] | 'off'>;
  /** Those that are not closed for all processes. */
  readonly breakers: Part<readonly SharedBreakerState[]>;
  /** The deepest first. */
  readonly queues: Part<readonly QueueDepth[]>;
  readonly objectives: Part<ComplianceReport>;
  /** `none` when there was no drill yet. */
  readonly drill: Part<LastDrill | 'none'>;
  readonly seal: Part<SealState>;
}

const QUEUES = 1_000;

/** What is away leaves its own part unknown: the others are needed most just then. */
export async function readOverview(
  config: Config,
  platform: Pool,
  application: Pool,
  degradation: () => DegradationModesManager,
): Promise<Overview> {
  const log = { info: () => undefined, warn: () => undefined };
  const [levels, breakers, queues, objectives, drill, seal] = await Promise.all([
    part<readonly ScopeHealth[] | 'off'>(async () =>
      config.degradation === undefined ? 'off' : degradation().assessSystemHealth(),
    ),
    part(() => listSharedBreakers(platform)),
    part(() => readDepths(application, QUEUES)),
    part(() => checkCompliance({ config, platform, application, log })),
    part<LastDrill | 'none'>(async () => (await lastDrill(platform)) ?? 'none'),
    part(() => sealState(platform)),
  ]);
  return { levels, breakers, queues, objectives, drill, seal };
}

async function part<T>(read: () => Promise<T>): Promise<Part<T>> {
  try {
    return { value: await read() };
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}
