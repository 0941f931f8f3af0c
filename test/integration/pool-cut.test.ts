import type { Pool } from 'pg';
import { createPool, inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let server: RealPostgres;
let admin: Pool;
beforeAll(async () => {
  server = await startPostgres();
  admin = server.connect();
}, 240_000);
afterAll(() => server?.stop());

const open = () => createPool(server.connection('postgres'), { applicationName: 'cut', max: 1 });

async function cut(): Promise<void> {
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut'`);
}

const sessions = async () =>
  (await admin.query(`select from pg_stat_activity where application_name = 'cut'`)).rowCount;

test('a session that is cut between two statements of a transaction fails the next one, and nothing else', async () => {
  const pool = open();
  const uncaught: unknown[] = [];
  const note = (error: unknown) => uncaught.push(error);
  process.on('uncaughtException', note);
  try {
    const work = inTransaction(pool, async (tx) => {
      await tx.query('select 1');
      await cut();
      // Its end is on the wire before the next statement is.
      await until(async () => (await sessions()) === 0);
      await new Promise((resolve) => setImmediate(resolve));
      await tx.query('select 2');
    });
    await expect(work).rejects.toThrow();
    expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }]);
  } finally {
    process.off('uncaughtException', note);
    await pool.end();
  }
  expect(uncaught).toEqual([]);
}, 240_000);

test('one that was taken by somebody who does not listen ends nothing but itself', async () => {
  const pool = open();
  const client = await pool.connect();
  await client.query('select 1');
  await cut();
  await until(async () => (await sessions()) === 0);
  // As the same event from the socket, which may have come already: without a listener it ends the process.
  expect(client.emit('error', new Error('terminating connection due to administrator command'))).toBe(true);
  await expect(client.query('select 2')).rejects.toThrow();
  client.release(true);
  expect((await pool.query('select 3 as n')).rows).toEqual([{ n: 3 }]);
  await pool.end();
}, 240_000);

test('an idle one is replaced', async () => {
  const pool = open();
  await pool.query('select 1');
  await cut();
  await until(async () => (await sessions()) === 0);
  await until(async () =>
    pool.query('select 2').then(
      () => true,
      () => false,
    ),
  );
  await pool.end();
}, 240_000);
