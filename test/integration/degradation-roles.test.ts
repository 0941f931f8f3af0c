import type { Pool } from 'pg';
import { parseConfig } from '../../config';
import { Degradation, DegradationStore, INITIAL_STATE } from '../../core/degradation';
import { change } from '../../core/degradation/change.pure';
import { PLATFORM, preparePlatformDatabase } from '../../core/local-stack';
import { IntentVerifier, signIntent } from '../../core/operators';
import { BOOKS, configWith, policyWith } from '../support/degradation-policy';
import { newSigner } from '../support/operators';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const HOUR_MS = 3_600_000;

let postgres: RealPostgres;
let control: Pool;
let service: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  const { host, port } = postgres.connection('postgres');
  await preparePlatformDatabase(
    { host, port, user: 'postgres' },
    {
      database: PLATFORM.database,
      role: PLATFORM.role,
      password: undefined,
      control: { password: undefined },
    },
  );
  control = postgres.connect(PLATFORM.database, PLATFORM.controlRole);
  service = postgres.connect(PLATFORM.database, PLATFORM.serviceRole);
}, 240_000);
afterAll(() => postgres?.stop());

const config = () =>
  parseConfig(
    JSON.stringify({
      ...configWith(BOOKS),
      platform: { database: postgres.connection(PLATFORM.database, PLATFORM.serviceRole) },
    }),
    { file: '/chronawflow.yaml', env: {} },
  );

test('the controllers’ role decides and publishes, and a service’s role follows and reports', async () => {
  const store = new DegradationStore(control);
  const policy = policyWith(BOOKS);
  await store.look('platform', policy, { state: INITIAL_STATE, readings: {} });
  const errors: unknown[] = [];
  const web = await Degradation.start(config(), { name: 'web', onError: (error) => errors.push(error) });
  try {
    const decided = change(INITIAL_STATE, { to: 1, direction: 'escalation', reason: 'test' });
    const publication = { scope: 'platform', level: 'reduced', ...decided, request: undefined };
    expect(await store.publish(policy, publication)).toBe(true);
    expect(await store.publish(policy, publication)).toBe(false);
    await until(() => web.level() === 'reduced', { what: 'the service to follow' });
    await until(async () => (await store.acknowledged('platform', 1, HOUR_MS)).stragglers.length === 0, {
      what: 'the service to acknowledge',
    });
    expect(await store.takeUp('platform', INITIAL_STATE)).toMatchObject({ rank: 1, version: 1 });
  } finally {
    await web.close();
  }
  // It is taken out, not forgotten with time; an answer that this process was too busy to read in time may come later.
  await until(async () => (await store.acknowledged('platform', 1, HOUR_MS)).processes === 0, {
    what: 'the service to be taken out',
  });
  // What the server refuses has a code; a wait that was over has none.
  expect(errors.filter((error) => Reflect.has(Object(error), 'code'))).toEqual([]);
});

test('the controllers’ role verifies what operators have signed, once', async () => {
  const root = newSigner();
  const verifier = new IntentVerifier(control, {
    roots: [{ name: 'root', publicKey: root.key.text }],
    intentLifetimeMs: 3_600_000,
    fourEyes: { restore: 0, erasure: 0, chaos: 0, override: 0 },
    witnesses: [],
    whenWitnessesAreAway: 'refuse',
  });
  const wanted = { action: 'erasure.hold', parameters: { reason: 'test' } } as const;
  const signed = await signIntent(control, root, { ...wanted, operator: 'root' }, 60_000);
  const demand = { signed, expected: wanted, owner: 'one' };
  await expect(verifier.verifyAlone(demand)).resolves.toMatchObject({
    request: { operator: { name: 'root' } },
  });
  await expect(verifier.verifyAlone({ ...demand, owner: 'another' })).rejects.toMatchObject({
    code: 'INTENT_REPLAYED',
  });
  // What a witness is shown of the log.
  for (const table of ['audit_log', 'audit_bundle', 'audit_subtree', 'audit_checkpoint', 'audit_cosignature'])
    await expect(control.query(`select from chronawflow.${table}`)).resolves.toMatchObject({
      rows: expect.any(Array),
    });
});

test.each([
  ['a service sets no level', () => service, `update chronawflow.degradation_level set rank = 0`],
  ['a service reads no audit event', () => service, 'select actor from chronawflow.audit_event'],
  ['the controllers read no preview of a restore', () => control, 'select preview from chronawflow.restore'],
  ['the controllers change no audit event', () => control, `update chronawflow.audit_event set actor = 'x'`],
])('%s', async (_, pool, statement) => {
  await expect(pool().query(statement)).rejects.toMatchObject({ code: '42501' });
});
