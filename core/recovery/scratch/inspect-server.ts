import { Client, DatabaseError } from 'pg';
import { hasCode, messageOf } from '../../errors';
import { ScratchInvalidError } from '../errors/scratch-invalid-error';
import { readMarker } from './marker';
import { SCRATCH_PORT, type ScratchPaths } from './scratch-paths.pure';

/** Exists in every cluster, whatever the application's database is called. */
const ANY_DATABASE = 'template1';
/** SQLSTATEs: the role does not exist under this name, or has no right to log in. */
const NO_SUCH_ROLE = new Set(['28000', '28P01']);

/** A scratch server, and by which name its bootstrap superuser may be known besides the marker's. */
interface Inspected {
  readonly restoreId: string;
  readonly paths: ScratchPaths;
  readonly primary?: { readonly superuser: string };
}

/**
 * Whether recovery is paused, and as whom one could log in to ask. Undefined while the server lets nobody in: whether it
 * still runs is for its process to say.
 */
export async function lookAtRecovery(
  server: Inspected,
): Promise<{ readonly paused: boolean; readonly superuser: string } | undefined> {
  try {
    return await asSuperuser(server, async (client, superuser) => {
      const { rows } = await client.query<{ paused: boolean }>(
        `select pg_is_in_recovery() and pg_get_wal_replay_pause_state() = 'paused' as paused`,
      );
      return { paused: rows[0]?.paused ?? false, superuser };
    });
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return undefined;
  }
}

/** The socket is gone or refuses (the server ended), or the server is starting or shutting down (class 57P). */
function isUnreachable(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code?.startsWith('57P') ?? false;
  return (
    hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET') || /terminated unexpectedly/.test(messageOf(error))
  );
}

/** As the bootstrap superuser by its name at the target: mostly the one it has now. */
async function asSuperuser<T>(
  server: Inspected,
  work: (client: Client, superuser: string) => Promise<T>,
): Promise<T> {
  const known = (await readMarker(server.paths))?.superuser;
  const candidates = [known, server.primary?.superuser, 'postgres'].filter((name) => name !== undefined);
  const refusals: string[] = [];
  for (const user of new Set(candidates)) {
    try {
      return await asUser(server, user, (client) => work(client, user));
    } catch (error) {
      if (!(error instanceof DatabaseError && NO_SUCH_ROLE.has(error.code ?? ''))) throw error;
      refusals.push(messageOf(error));
    }
  }
  throw new ScratchInvalidError(server.restoreId, [`no superuser could log in (${refusals.join('; ')})`]);
}

async function asUser<T>(
  { paths }: Inspected,
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
