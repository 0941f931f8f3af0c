import type { Pool } from 'pg';
import { RefusedAttempts } from '../../core/audit';
import { preparePlatformDatabase } from '../../core/local-stack';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let postgres: RealPostgres;
let running: Pool;
let superuser: Pool;

beforeAll(async () => {
  const settings = { logging_collector: 'on', log_destination: 'jsonlog,stderr', log_directory: 'log' };
  postgres = await startPostgres({ settings });
  await preparePlatformDatabase(
    { host: postgres.socketDirectory, port: postgres.port, user: 'postgres' },
    { database: 'platform', role: 'chronawflow', password: undefined },
  );
  running = postgres.connect('platform', 'chronawflow');
  superuser = postgres.connect('platform');
}, 240_000);
afterAll(() => postgres?.stop());

const recorded = async () => {
  const { rows } = await superuser.query<{ actor: string; object: string; message: string }>(
    `select actor, object, details ->> 'message' as message from chronawflow.audit_event
      where action = 'audit.change-refused'`,
  );
  return rows;
};

test('whoever tries to change the log is in it, although his transaction is gone; once, whoever reads', async () => {
  const attempts: readonly (readonly [Pool, string])[] = [
    [superuser, 'update chronawflow.audit_event set actor = $$ünïcode$$'],
    [superuser, 'delete from chronawflow.used_intent'],
    [superuser, 'truncate chronawflow.audit_checkpoint'],
    [running, 'delete from chronawflow.audit_event'],
  ];
  await superuser.query(
    `insert into chronawflow.audit_event (id, actor, action, outcome) values ('e', 'a', 'a', 'ok')`,
  );
  await superuser.query(
    `insert into chronawflow.used_intent (nonce, owner, action, operator, intent, signature) values ('n', 'o', 'a', 'p', '', '')`,
  );
  for (const [pool, statement] of attempts) await expect(pool.query(statement)).rejects.toThrow();
  const readers = [1, 2].map(() => new RefusedAttempts(running, { everyMs: 50 }));
  for (const reader of readers) reader.start();
  await until(async () => (await recorded()).length >= attempts.length, {
    what: 'the attempts to be recorded',
  });
  await expect(superuser.query('delete from chronawflow.audit_event')).rejects.toThrow();
  await until(async () => (await recorded()).length > attempts.length, {
    what: 'the next one to be recorded',
  });
  await Promise.all(readers.map((reader) => reader.close()));
  // The server's log tells the time in milliseconds: two of them may have the same.
  expect((await recorded()).map(({ actor, object }) => `${actor} ${object}`).toSorted()).toEqual([
    'chronawflow audit_event',
    'postgres audit_checkpoint',
    'postgres audit_event',
    'postgres audit_event',
    'postgres used_intent',
  ]);
});

test('the running role reads these lines and no file, and no other database’s', async () => {
  await expect(running.query(`select pg_read_file('PG_VERSION')`)).rejects.toThrow(/permission denied/);
  await expect(
    running.query(`select * from chronawflow.refused_attempts('../PG_VERSION', 0)`),
  ).rejects.toThrow(/no server log of this name/);
  const nobody = postgres.connect('platform', 'postgres');
  await nobody.query('create role clerk login');
  const clerk = postgres.connect('platform', 'clerk');
  await nobody.query('grant usage on schema chronawflow to clerk');
  await expect(clerk.query('select * from chronawflow.server_logs()')).rejects.toThrow(/permission denied/);
});
