import type { Pool } from 'pg';
import { protectionConfig } from '../../config';
import { BackupCommandFailedError } from '../../core/recovery/errors/backup-command-failed-error';
import { applyMigrations } from '../../database';
import { workerProtection } from '../../workers/worker-protection';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

/** The breakers of a worker's process, as it makes them from the configuration. */

let postgres: RealPostgres;
let pool: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  pool = await postgres.createDatabase('platform');
  await applyMigrations(pool, 'platform');
});
afterAll(() => postgres?.stop());

const log = { info: jest.fn(), warn: jest.fn() };
const failing = () =>
  Promise.reject(new BackupCommandFailedError('info', 56, 'the repository cannot be reached'));

test('a repository that cannot be reached is not asked again by every restore; the audit log says so', async () => {
  const protection = workerProtection(
    protectionConfig.parse({
      breaker: { consecutiveFailures: 2 },
      // It leaves the others within twice the limit of a statement.
      shared: { interval: '50ms', lease: '60s', statementLimit: '30s' },
    }),
    pool,
    log,
  );
  const verify = (call: () => Promise<unknown>) => protection.backupRepository('verify').execute(call);
  await expect(verify(() => Promise.reject(new Error('the backup is damaged')))).rejects.toThrow('damaged');
  for (const _ of [1, 2]) await expect(verify(failing)).rejects.toThrow('cannot be reached');
  await expect(verify(failing)).rejects.toMatchObject({ code: 'BREAKER_OPEN', retryable: true });
  await expect(protection.backupRepository('backup').execute(() => 'made')).resolves.toBe('made');
  await protection.close();
  const events = async () =>
    (await pool.query('select action, object, details from chronawflow.audit_event')).rows;
  await until(async () => (await events()).length > 0, { what: 'the event' });
  expect(await events()).toMatchObject([
    { action: 'breaker.open', object: 'backup-repository/verify', details: { why: 'consecutive-failures' } },
  ]);
  expect((await pool.query('select 1 from chronawflow.breaker_observer')).rows).toEqual([]);
});

test('a control plane that is away neither fails nor delays a call, and stopping takes a moment', async () => {
  const protection = workerProtection(protectionConfig.parse({ shared: { statementLimit: 100 } }), pool, log);
  await postgres.halt('immediate');
  await expect(protection.backupRepository('verify').execute(() => 1)).resolves.toBe(1);
  await protection.close();
  await postgres.start();
});

test('the defaults of the configuration are those of the classes', () => {
  expect(protectionConfig.parse({})).toMatchObject({
    breaker: { consecutiveFailures: 5, failureRate: 0.5, window: { calls: 100 } },
    registry: { limit: 100_000 },
    shared: { quorum: 2 },
  });
  expect(() => protectionConfig.parse({ services: { tax: { probes: 0 } } })).toThrow('probes');
});
