import { ChronawflowError } from '../errors';

/** The user that runs PostgreSQL cannot get to the directory its data should live in. */
export class ServerDirectoryUnreachableError extends ChronawflowError {
  readonly code = 'SERVER_DIRECTORY_UNREACHABLE';

  constructor(directory: string, closedParent: string, user: string) {
    super(`the user '${user}' cannot reach ${directory}: ${closedParent} does not let it through`, {
      hint: `Choose a directory under /var/tmp or /var/lib, or allow passing through: chmod o+x ${closedParent}`,
      details: { directory, closedParent, user },
    });
  }
}
