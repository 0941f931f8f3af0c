import { ChronawflowError, type ChronawflowErrorOptions } from '../core/errors';

/** The configuration file is missing or wrong; nothing was started. Values are never repeated: they may be secret. */
export class ConfigInvalidError extends ChronawflowError {
  readonly code = 'CONFIG_INVALID';
  override readonly kind = 'usage';

  constructor(
    readonly file: string,
    readonly problems: readonly string[],
    options: ChronawflowErrorOptions = {},
  ) {
    super(`${file}: ${problems.join('; ')}`, { ...options, details: { file, problems } });
  }
}
