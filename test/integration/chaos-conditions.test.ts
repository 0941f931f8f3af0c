import type { Pool, PoolClient } from 'pg';
import { firstThatHolds } from '../../core/chaos';
import { type RealPostgres, startPostgres } from '../support/real-postgres';

/** A control plane that takes sessions and gives no answer, because somebody holds the table. */
let server: RealPostgres;
let platform: Pool;
let holder: PoolClient;

beforeAll(async () => {
  server = await startPostgres();
  platform = server.connect();
  await platform.query('create schema chronawflow');
  await platform.query('create table chronawflow.degradation_level (scope text, level text, rank int)');
  holder = await platform.connect();
  await holder.query('begin');
  await holder.query('lock table chronawflow.degradation_level');
}, 240_000);
afterAll(async () => {
  await holder?.query('rollback');
  holder?.release();
  await server?.stop();
}, 240_000);

const look = (signal: AbortSignal) =>
  firstThatHolds(
    [{ kind: 'degradation-level', atLeast: 1 }],
    { values: {}, secrets: [], targets: {}, signal },
    platform,
  );

test('a silent control plane is a condition that holds, and the look has its limit', async () => {
  expect(await look(new AbortController().signal)).toContain('could not be looked at');
}, 240_000);

test('an experiment that is over is told so, not that a condition holds', async () => {
  const over = new AbortController();
  const looked = look(over.signal);
  over.abort(new Error('over'));
  await expect(looked).rejects.toThrow('over');
}, 240_000);
