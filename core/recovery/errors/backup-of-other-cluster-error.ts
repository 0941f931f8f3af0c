import { ChronawflowError } from '../../errors';

/** The stanza holds backups of another cluster than the application's. */
export class BackupOfOtherClusterError extends ChronawflowError {
  readonly code = 'BACKUP_OF_OTHER_CLUSTER';

  constructor(stanza: string, systemId: string, found: readonly string[]) {
    super(
      `stanza '${stanza}' has no backups of the application's cluster: its system identifier is ${systemId}, the stanza knows ${found.join(', ') || 'none'}`,
      {
        hint: 'Check application.backup.stanza and application.database; after pg_upgrade or a new initdb run `pgbackrest stanza-upgrade`.',
        details: { stanza, systemId, found },
      },
    );
  }
}
