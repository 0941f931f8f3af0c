import type { NativeConnection } from '@temporalio/worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { HealthMonitor } from '../core/health';

/** What a worker cannot take work without. Neither is a reason to restart it: it waits for both. */
export function watchHealth(platform: Pool, temporal: NativeConnection, log: Logger): HealthMonitor {
  const health = new HealthMonitor({
    checks: [
      { name: 'platform-database', check: () => platform.query('select 1') },
      { name: 'temporal', check: () => temporal.healthService.check({}) },
    ],
    onChange: (component, up) => log.warn({ component, up }, up ? 'is well again' : 'is down'),
  });
  health.start();
  return health;
}
