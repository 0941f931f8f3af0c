import { join } from 'node:path';
import type { PostgresBin } from './find-postgres';
import { runProgram } from './run-program';
import { makeServerDirectory } from './server-directory';

export interface InitOptions {
  readonly bin: PostgresBin;
  readonly dataDirectory: string;
  /** Name of the bootstrap superuser; default `postgres`. */
  readonly superuser?: string;
  /** The superuser's password is the file's first line. */
  readonly passwordFile?: string;
  /** How local sockets and TCP authenticate; `trust` is for throwaway clusters in a directory of mode 0700. */
  readonly authLocal: 'trust' | 'peer' | 'scram-sha-256';
  readonly authHost: 'trust' | 'reject' | 'scram-sha-256';
  readonly dataChecksums?: boolean;
  /** Skip the final sync: for clusters that nobody will miss after a crash. */
  readonly noSync?: boolean;
  readonly signal?: AbortSignal;
}

/** Makes a new, empty cluster in UTF-8 with the C locale, so that text sorts the same on every host. */
export async function initServer(options: InitOptions): Promise<void> {
  await makeServerDirectory(options.dataDirectory);
  await runProgram(
    join(options.bin.directory, 'initdb'),
    [
      `--pgdata=${options.dataDirectory}`,
      `--username=${options.superuser ?? 'postgres'}`,
      '--encoding=UTF8',
      '--locale=C',
      `--auth-local=${options.authLocal}`,
      `--auth-host=${options.authHost}`,
      ...(options.passwordFile === undefined ? [] : [`--pwfile=${options.passwordFile}`]),
      ...(options.dataChecksums ? ['--data-checksums'] : []),
      ...(options.noSync ? ['--no-sync'] : []),
    ],
    { asServerUser: true, signal: options.signal },
  );
}
