import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { ProtectionConfig } from '../config';
import { ChronawflowError } from '../core/errors';
import {
  AuditTransitions,
  type BreakerOptions,
  BreakerRegistry,
  type CircuitBreaker,
  ProtectionMetrics,
  SharedBreakers,
} from '../core/protection';

/** The repository of backups, as far as it is asked before a restore: while it is away, no restore has to find out again. */
const BACKUP_REPOSITORY = 'backup-repository';

/**
 * The breakers of a worker's process: of the platform's own calls and of the jobs'. One registry, so that a process is one
 * observer among those that share what they see.
 */
export interface WorkerProtection {
  readonly breakers: BreakerRegistry;
  /** Around a look at the backup repository or a backup. */
  backupRepository(operation: 'verify' | 'backup'): CircuitBreaker;
  close(): Promise<void>;
}

export function workerProtection(
  config: ProtectionConfig,
  platform: Pool,
  log: Pick<Logger, 'info' | 'warn'>,
): WorkerProtection {
  const breakers = new BreakerRegistry({
    ...config.registry,
    breaker: config.breaker,
    services: { ...config.services, [BACKUP_REPOSITORY]: repositoryRules(config) },
  });
  const stopMetrics = new ProtectionMetrics().watchBreakers(breakers);
  const audit = new AuditTransitions(platform, breakers);
  const shared =
    config.shared === false
      ? undefined
      : new SharedBreakers(platform, breakers, {
          ...config.shared,
          onReach: ({ reachable, error }) =>
            reachable
              ? log.info({}, 'breakers are exchanged with other processes again')
              : log.warn({ err: error }, 'breakers decide by this process alone: the control plane is away'),
        });
  shared?.start();
  return {
    breakers,
    backupRepository: (operation) => breakers.get({ service: BACKUP_REPOSITORY, operation, tenant: '' }),
    close: async () => {
      stopMetrics();
      await shared?.stop();
      await audit.close();
    },
  };
}

/**
 * Only a command that could not be carried out speaks against the repository: a damaged backup or a refused target is an
 * answer. No rule for slow calls: how long a backup takes depends on its size.
 */
function repositoryRules({ services, breaker }: ProtectionConfig): BreakerOptions {
  return {
    ...(services[BACKUP_REPOSITORY] ?? breaker),
    slowRate: false,
    isFailure: (error) => error instanceof ChronawflowError && error.code === 'BACKUP_COMMAND_FAILED',
  };
}
