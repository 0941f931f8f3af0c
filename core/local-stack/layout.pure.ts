import { join, resolve } from 'node:path';
import { type ChaosLayout, chaosLayout } from './chaos/layout.pure';
import { type ProcessPlace, processPlace, type ServerPlace, serverPlace } from './places.pure';

export type { ProcessPlace, ServerPlace };

/** Every path of one stack. `home` is the user's side, `servers` is where the server user can get to. */
export interface StackLayout {
  readonly home: string;
  readonly stateFile: string;
  readonly configFile: string;
  /** Remembers the `up` that holds the stack. */
  readonly holderFile: string;
  readonly secrets: string;
  readonly temporal: ProcessPlace & { readonly database: string };
  readonly worker: ProcessPlace;
  readonly control: ProcessPlace;
  readonly servers: string;
  /** Set when the sockets cannot be in `servers`; see needsOtherSocketDirectory. */
  readonly sockets: string | undefined;
  readonly socketDirectory: string;
  readonly application: ServerPlace;
  readonly platform: ServerPlace;
  readonly backup: {
    readonly configFile: string;
    readonly repository: string;
    readonly logs: string;
    readonly locks: string;
    readonly spool: string;
  };
  readonly scratch: string;
  /** Of `up --chaos`. */
  readonly chaos: ChaosLayout;
}

/** What a stack remembers of itself is the one thing that is found by its home alone. */
export function stateFileOf(directory: string): string {
  return join(resolve(directory), 'stack.json');
}

export function holderFileOf(directory: string): string {
  return join(resolve(directory), 'up.json');
}

/** A socket directory may have 92 bytes, see core/cluster; a deep checkout has more. */
const SOCKET_DIRECTORY_LIMIT = 90;

/**
 * @param servers absolute; equal to a directory in `home` unless the server user cannot reach that.
 * @param sockets used instead of a directory in `servers` when that would be too long for the kernel.
 */
export function stackLayout(home: string, servers: string, sockets: string | undefined): StackLayout {
  const backup = join(servers, 'backup');
  return {
    home,
    stateFile: stateFileOf(home),
    configFile: join(home, 'chronawflow.yaml'),
    holderFile: holderFileOf(home),
    secrets: join(home, 'secrets'),
    temporal: { ...processPlace(home, 'temporal'), database: join(home, 'temporal', 'temporal.db') },
    worker: processPlace(home, 'worker'),
    control: processPlace(home, 'control'),
    servers,
    sockets,
    socketDirectory: sockets ?? defaultSocketDirectory(servers),
    application: serverPlace(servers, 'application'),
    platform: serverPlace(servers, 'platform'),
    backup: {
      configFile: join(backup, 'pgbackrest.conf'),
      repository: join(backup, 'repository'),
      logs: join(backup, 'log'),
      locks: join(backup, 'lock'),
      spool: join(backup, 'spool'),
    },
    scratch: join(servers, 'scratch'),
    chaos: chaosLayout(home, servers),
  };
}

export function needsOtherSocketDirectory(servers: string): boolean {
  return Buffer.byteLength(defaultSocketDirectory(servers)) > SOCKET_DIRECTORY_LIMIT;
}

const defaultSocketDirectory = (servers: string): string => join(servers, 'run');
