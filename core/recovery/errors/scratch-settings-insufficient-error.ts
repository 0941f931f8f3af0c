import { ChronawflowError } from '../../errors';

/** Recovery on the scratch server needs a setting or a library that it was not given. */
export class ScratchSettingsInsufficientError extends ChronawflowError {
  readonly code = 'SCRATCH_SETTINGS_INSUFFICIENT';

  /** @param log the lines of the server's log that name the setting or library. */
  constructor(restoreId: string, log: readonly string[]) {
    super(`the scratch server of ${restoreId} cannot recover with its settings: ${log.join(' | ')}`, {
      hint: 'Give what the log names in application.backup.scratchSettings, such as max_connections or shared_preload_libraries.',
      details: { restoreId, log },
    });
  }
}
