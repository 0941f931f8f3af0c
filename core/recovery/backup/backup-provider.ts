import type { BackupConfig } from '../../../config';
import { pgbackrestProvider } from './pgbackrest/pgbackrest-provider';
import type { BackupProvider } from './provider';

/** The repository that the configuration names. */
export function backupProvider(config: BackupConfig): BackupProvider {
  switch (config.provider) {
    case 'pgbackrest':
      return pgbackrestProvider(config);
  }
}
