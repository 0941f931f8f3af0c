import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config';
import { repeat } from '../core/repeat';
import { retain } from '../core/retention';
import { createPool } from '../database';
import { failedRound } from './failed-round';

/**
 * Drops what is older than `audit.retention.keep`: the configuration is the decision, and `chronawflow` makes it. Of several workers
 * one drops at a time.
 */
export function auditRetention(config: Config, platform: Pool, log: Logger) {
  const { retention } = config.audit;
  if (retention === undefined || retention.every === false) {
    return { start: () => undefined, close: async () => undefined };
  }
  const { keep: olderThan, every } = retention;
  const retainer = createPool(retention.database, { applicationName: 'chronawflow retention', max: 1 });
  const round = async () => {
    const decision = { by: 'chronawflow', reason: 'audit.retention.keep', olderThan };
    const { dropped } = await retain({ platform, retainer }, decision);
    for (const { origin, entries, minimumIndex } of dropped)
      log.info({ origin, entries, minimumIndex }, 'the oldest audit events were dropped');
  };
  const repeated = repeat(every, round, failedRound(log, 'dropping the oldest audit events'));
  return {
    start: repeated.start,
    close: async () => {
      await repeated.stop();
      await retainer.end();
    },
  };
}
