import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import { DependencyMissingError, messageOf } from '../errors';

/** The operating-system user that PostgreSQL servers and pgBackRest run as. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export const runsAsRoot = (): boolean => process.getuid?.() === 0;

let known: Promise<ServerUser> | undefined;

/**
 * Ourselves, unless we are root: then `CHRONAWFLOW_SERVER_USER` or `postgres`, because PostgreSQL refuses root.
 *
 * @throws DependencyMissingError when there is no such user.
 */
export function serverUser(): Promise<ServerUser> {
  known ??= lookUp();
  return known;
}

async function lookUp(): Promise<ServerUser> {
  if (!runsAsRoot()) {
    const me = userInfo();
    return { name: me.username, uid: me.uid, gid: me.gid, home: me.homedir };
  }
  const name = process.env.CHRONAWFLOW_SERVER_USER ?? 'postgres';
  let entry: string;
  try {
    entry = (await promisify(execFile)('getent', ['passwd', name])).stdout;
  } catch (cause) {
    throw new DependencyMissingError(
      `PostgreSQL refuses to run as root, and there is no user '${name}' to run it as (${messageOf(cause)})`,
      {
        cause,
        hint: 'Install PostgreSQL from your distribution, or name a user in CHRONAWFLOW_SERVER_USER.',
      },
    );
  }
  const [, , uid, gid, , home] = entry.trim().split(':');
  return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
}

/** How to spawn a program under the right identity. */
export interface SpawnIdentity {
  readonly file: string;
  readonly args: string[];
  readonly credentials: { readonly uid?: number; readonly gid?: number };
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
}

/**
 * The command as the server user. Node's own `uid` option drops supplementary groups, and a repository's key may be
 * readable by a group only; so setpriv sets all three where it is installed (util-linux, every mainstream Linux).
 */
export async function identityFor(
  asServerUser: boolean,
  file: string,
  args: readonly string[],
): Promise<SpawnIdentity> {
  if (!asServerUser || !runsAsRoot())
    return { file, args: [...args], credentials: {}, env: {}, cwd: undefined };
  const user = await serverUser();
  const env = { HOME: user.home, USER: user.name, LOGNAME: user.name };
  const setpriv = await setprivPath();
  return setpriv === undefined
    ? { file, args: [...args], credentials: { uid: user.uid, gid: user.gid }, env, cwd: '/' }
    : {
        file: setpriv,
        args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--', file, ...args],
        credentials: {},
        env,
        cwd: '/',
      };
}

let setpriv: Promise<string | undefined> | undefined;

function setprivPath(): Promise<string | undefined> {
  setpriv ??= (async () => {
    for (const path of ['/usr/bin/setpriv', '/bin/setpriv']) {
      if (
        await access(path, constants.X_OK).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
    return undefined;
  })();
  return setpriv;
}
