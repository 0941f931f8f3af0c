import { Client, DatabaseError } from 'pg';
import { hasCode, messageOf } from '../../errors';
import { ScratchInvalidError } from '../errors/scratch-invalid-error';
import type { ServerRequest } from './configure-server';
import { readMarker } from './marker';
import { SCRATCH_PORT } from './scratch-paths.pure';

/** Exists in every cluster, whatever the application's database is called. */
const ANY_DATABASE = 'template1';
/** SQLSTATEs: the role does not exist under this name, or has no right to log in. */
const NO_SUCH_ROLE = new Set(['28000', '28P01']);

/** False as well while the server does not let anybody in: whether it still runs is for its process to say. */
export async function isPaused(request: ServerRequest): Promise<boolean> {
  try {
    return (await recoveryState(request)) === 'paused';
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return false;
  }
}

async function recoveryState(request: ServerRequest): Promise<string | undefined> {
  const user = await findSuperuser(request);
  return asUser(request, user, async (client) => {
    const { rows } = await client.query<{ state: string }>(
      `select case when pg_is_in_recovery() then pg_get_wal_replay_pause_state() else 'not in recovery' end as state`,
    );
    return rows[0]?.state;
  });
}

/** The socket is gone or refuses (the server ended), or the server is starting or shutting down (class 57P). */
function isUnreachable(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code?.startsWith('57P') ?? false;
  return (
    hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET') || /terminated unexpectedly/.test(messageOf(error))
  );
}

/** The bootstrap superuser's name at the target: mostly the one it has now. */
export async function findSuperuser(request: ServerRequest): Promise<string> {
  const known = (await readMarker(request.paths))?.superuser;
  const candidates = [known, request.primary.superuser, 'postgres'].filter((name) => name !== undefined);
  const refusals: string[] = [];
  for (const user of new Set(candidates)) {
    try {
      await asUser(request, user, (client) => client.query('select 1'));
      return user;
    } catch (error) {
      if (!(error instanceof DatabaseError && NO_SUCH_ROLE.has(error.code ?? ''))) throw error;
      refusals.push(messageOf(error));
    }
  }
  throw new ScratchInvalidError(request.restoreId, [`no superuser could log in (${refusals.join('; ')})`]);
}

async function asUser<T>(
  { paths }: ServerRequest,
  user: string,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    host: paths.socketDirectory,
    port: SCRATCH_PORT,
    database: ANY_DATABASE,
    user,
    application_name: 'chronawflow scratch',
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
