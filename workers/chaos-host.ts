import { hostname } from 'node:os';
import { queueFlooding } from '../client/queue-flooding';
import type { Config } from '../config';
import { type ChaosHost, hostDrivers, LeaseJournal, LeaseStore } from '../core/chaos';
import { InvalidInputError } from '../core/errors';
import { createPool } from '../database';

/** What a process of this host needs to inject or end faults, and how it is closed. @throws InvalidInputError without `chaos` */
export function chaosHost(
  config: Config,
  log: ChaosHost['log'],
): { readonly host: ChaosHost; readonly close: () => Promise<void> } {
  if (config.chaos === undefined)
    throw new InvalidInputError('The configuration has no section `chaos`, so this host takes no faults.', {
      hint: 'docs/resilience/chaos.md says what to write there.',
    });
  const platform = createPool(config.control.database ?? config.platform.database, {
    applicationName: 'chronawflow reaper',
    max: 1,
    connectTimeoutMs: 2_000,
    sessionSettings: { statement_timeout: '2000' },
  });
  return {
    host: {
      host: hostname(),
      journal: new LeaseJournal(config.chaos.directory),
      drivers: hostDrivers(config, queueFlooding(config.temporal)),
      targets: config.chaos.targets,
      store: new LeaseStore(platform),
      log,
    },
    close: () => platform.end(),
  };
}
