import type { Pool } from 'pg';
import { Chronawflow } from '../../client';
import { type Config, parseConfig } from '../../config';
import type { Signer } from '../../core/operators';
import { applyMigrations } from '../../database';
import { CleanUp } from '../support/clean-up';
import { newSigner } from '../support/operators';
import { startPostgres } from '../support/real-postgres';

/** Acts on jobs are the client's own transactions: each verifies its intent in the one that makes the change. */

const cleanUp = new CleanUp();
const root = newSigner();
const ada = newSigner();
let config: Config;
let application: Pool;
let platform: Pool;

beforeAll(async () => {
  const postgres = await startPostgres();
  cleanUp.add(() => postgres.stop());
  platform = await postgres.createDatabase('platform');
  application = await postgres.createDatabase('application');
  await applyMigrations(platform, 'platform');
  await applyMigrations(application, 'application');
  const raw = {
    temporal: { address: '127.0.0.1:1' },
    platform: { database: postgres.connection('platform') },
    application: { database: postgres.connection('application'), backup: { stanza: 's', configFile: 'c' } },
    tenancy: { table: 't' },
    jobs: { whenTemporalIsAway: 'outbox' },
    operators: { administrators: { root: root.key.text } },
  };
  config = parseConfig(JSON.stringify(raw), { file: '/tmp/chronawflow.yaml', env: {} });
  const grants = [{ role: 'requester', tenants: ['acme'] }] as const;
  await (await as(root)).operators.add({ name: 'ada', publicKey: ada.key.text, grants });
}, 240_000);

afterAll(() => cleanUp.run());

async function as(signer: Signer): Promise<Chronawflow> {
  const cf = await Chronawflow.connect({ config, signer });
  cleanUp.add(() => cf.close());
  return cf;
}

const used = async () => {
  const { rows } = await application.query<{ action: string }>(
    'select action from chronawflow.used_intent order by at',
  );
  return rows.map(({ action }) => action);
};

async function deadJob(key: string): Promise<void> {
  await application.query(
    `insert into chronawflow.job (tenant, type, key, input, fingerprint, priority, state, attempts, submitted_at, run_at)
     values ('acme', 'mail', $1, '{}', 'f', 3, 'dead', 1, clock_timestamp(), clock_timestamp())`,
    [key],
  );
  await application.query(
    `insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors) values ('acme', 'mail', $1, 'attempts', 1, '[]')`,
    [key],
  );
}

test('an act is done in the name of the key, and its intent is used up with it', async () => {
  const cf = await as(ada);
  await expect(cf.jobs.quarantine({ tenant: 'acme' }, { reason: 'poison' })).resolves.toBe(true);
  await expect(cf.jobs.holds()).resolves.toMatchObject([{ tenant: 'acme', by: 'ada', reason: 'poison' }]);
  await cf.jobs.setLimit({ tenant: 'acme', type: 'mail' }, { inFlight: 2 });
  await cf.jobs.release({ tenant: 'acme' });
  await cf.jobs.pause('acme');
  await cf.jobs.resume('acme');
  expect(await used()).toEqual([
    'jobs.quarantine',
    'jobs.limit',
    'jobs.release',
    'jobs.pause',
    'jobs.resume',
  ]);
  const { rows } = await platform.query(
    `select object from chronawflow.audit_event where action = 'operators.intent-used' and actor = 'ada' order by at`,
  );
  expect(rows.map(({ object }) => object)).toEqual(await used());
});

test('dead letters are redriven one by one or together by one intent, and discarded', async () => {
  const cf = await as(ada);
  for (const key of ['1', '2', '3', '4']) await deadJob(key);
  const before = (await used()).length;
  await cf.jobs.redrive({ tenant: 'acme', type: 'mail', key: '1' });
  await cf.jobs.discard({ tenant: 'acme', type: 'mail', key: '2' }, { reason: 'twice' });
  await expect(cf.jobs.redriveMany({ tenant: 'acme' })).resolves.toHaveLength(2);
  expect((await used()).slice(before)).toEqual(['jobs.redrive', 'jobs.discard', 'jobs.redrive']);
});

test('what the role does not cover is refused with a code, and nothing is changed', async () => {
  const cf = await as(ada);
  const before = await used();
  const refused = { code: 'INTENT_OUT_OF_SCOPE' };
  await expect(cf.jobs.quarantine({ tenant: 'birch' }, { reason: 'x' })).rejects.toMatchObject(refused);
  await expect(cf.jobs.quarantine({ type: 'mail' }, { reason: 'x' })).rejects.toMatchObject(refused);
  await expect(cf.jobs.setLimit({}, { inFlight: 0 })).rejects.toMatchObject(refused);
  await deadJob('5');
  await expect(cf.jobs.redriveMany({})).rejects.toMatchObject(refused);
  await expect((await as(root)).jobs.pause('acme')).rejects.toMatchObject(refused);
  await expect(cf.jobs.holds()).resolves.toEqual([]);
  await expect(cf.jobs.dead()).resolves.toHaveLength(1);
  expect(await used()).toEqual(before);
});

test('nobody acts in another name, without a key, or after he was revoked', async () => {
  const cf = await as(ada);
  await expect(cf.jobs.pause('acme', { as: 'grace' })).rejects.toMatchObject({ code: 'SIGNER_UNAVAILABLE' });
  await expect((await as(newSigner())).jobs.pause('acme')).rejects.toMatchObject({
    code: 'SIGNER_UNAVAILABLE',
  });
  await (await as(root)).operators.revoke('ada');
  await expect(cf.jobs.pause('acme')).rejects.toMatchObject({ code: 'OPERATOR_REVOKED' });
  await expect(cf.jobs.holds()).resolves.toEqual([]);
});
