import type { Client, ClientBase } from 'pg';
import { type ConnectionSettings, createClient } from '../../../../database';

/** By this name a fault's sessions are found and ended, whoever opened them. */
export function sessionName(leaseId: string): string {
  return `chronawflow chaos ${leaseId}`;
}

const CONNECT_LIMIT_MS = 3_000;
const STATEMENT_LIMIT_MS = 4_000;

export interface SessionOptions {
  readonly applicationName: string;
  readonly signal: AbortSignal;
}

/** One session, opened, used and closed. A server that gives no answer holds nobody: the signal breaks the connection. */
export async function inSession<T>(
  connection: ConnectionSettings,
  { applicationName, signal }: SessionOptions,
  work: (session: Pick<ClientBase, 'query'>) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const client = createClient(connection, { applicationName, connectTimeoutMs: CONNECT_LIMIT_MS });
  // The query under way fails as well; without a listener the process would end.
  client.on('error', () => undefined);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const run = async () => {
    await client.connect();
    await client.query(`set statement_timeout = ${STATEMENT_LIMIT_MS}`);
    return work(client);
  };
  try {
    return await Promise.race([run(), aborted]);
  } finally {
    // With a query under way, pg destroys the connection instead of waiting.
    client.end().catch(() => undefined);
  }
}

/** Sessions that stay open until this process ends or the server's own limit comes. */
export async function openHeld(
  connection: ConnectionSettings,
  leaseId: string,
  remainingMs: number,
): Promise<Client> {
  const client = createClient(connection, {
    applicationName: sessionName(leaseId),
    connectTimeoutMs: CONNECT_LIMIT_MS,
  });
  client.on('error', () => undefined);
  await client.connect();
  const limit = Math.max(1, Math.trunc(remainingMs));
  // Should this process be stopped instead of killed, the server itself ends the session when the lease is over.
  await client.query(`set idle_session_timeout = ${limit}`);
  await client.query(`set idle_in_transaction_session_timeout = ${limit}`);
  return client;
}

const OTHERS = `from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()`;

/** Ends the fault's sessions, also those whose client is dead already and that are in the middle of a statement. */
export async function endSessions(
  connection: ConnectionSettings,
  leaseId: string,
  signal: AbortSignal,
): Promise<void> {
  await inSession(connection, { applicationName: 'chronawflow reaper', signal }, async (session) => {
    while ((await countSessions(session, leaseId)) > 0) {
      signal.throwIfAborted();
      await session.query(`select pg_terminate_backend(pid, 200) ${OTHERS}`, [sessionName(leaseId)]);
    }
  });
}

export async function countSessions(session: Pick<ClientBase, 'query'>, leaseId: string): Promise<number> {
  const { rows } = await session.query<{ count: string }>(`select count(*) ${OTHERS}`, [
    sessionName(leaseId),
  ]);
  return Number(rows[0]?.count ?? 0);
}

/** Whether any session of the fault is open. */
export function hasSessions(
  connection: ConnectionSettings,
  leaseId: string,
  signal: AbortSignal,
): Promise<boolean> {
  return inSession(
    connection,
    { applicationName: 'chronawflow reaper', signal },
    async (session) => (await countSessions(session, leaseId)) > 0,
  );
}
