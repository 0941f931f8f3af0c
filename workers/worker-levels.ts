import type { Logger } from 'pino';
import type { Config } from '../config';
import { Degradation, healthSignals, JOB_PRIORITIES } from '../core/degradation';
import type { HealthMonitor } from '../core/health';

/** The level of degradation in a worker: what it says of jobs, and what the controllers hear from here. */
export interface WorkerLevels {
  readonly heldPriorities: () => readonly number[];
  /** Read only: no job may begin. */
  readonly writesRefused: () => boolean;
  close(): Promise<void>;
}

/** Undefined without a section `degradation`. */
export async function workerLevels(
  config: Config,
  health: HealthMonitor,
  log: Pick<Logger, 'info' | 'warn'>,
): Promise<WorkerLevels | undefined> {
  if (config.degradation === undefined) return undefined;
  const degradation = await Degradation.start(config, {
    signals: [healthSignals(health)],
    onChange: ({ scope, level, reason }) => log.info({ scope, level, reason }, 'the level has changed'),
    onError: (err) => log.warn({ err }, 'degradation'),
  });
  return {
    heldPriorities: () =>
      degradation.forTier(undefined).strategy.holdJobs.flatMap((one) => JOB_PRIORITIES[one]),
    writesRefused: () => degradation.forTier(undefined).readOnly !== undefined,
    close: () => degradation.close(),
  };
}
