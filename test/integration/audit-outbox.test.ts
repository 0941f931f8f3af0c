import type { Pool } from 'pg';
import { forwardOutbox, OutboxForwarder, onBehalfOf, writeOutbox } from '../../core/audit';
import { IdempotencyManager } from '../../core/idempotency';
import { discard, hold, redrive, release, setLimit } from '../../core/jobs';
import { beginAttempts, newAttempt } from '../../core/jobs/store/begin-attempts';
import { findEnd } from '../../core/jobs/store/find-end';
import { applyMigrations } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let postgres: RealPostgres;
let application: Pool;
let platform: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  await Promise.all([postgres.createDatabase('app'), postgres.createDatabase('platform')]);
  application = postgres.connect('app', 'postgres', 10);
  platform = postgres.connect('platform', 'postgres', 10);
  await Promise.all([applyMigrations(application, 'application'), applyMigrations(platform, 'platform')]);
});
afterAll(() => postgres?.stop());
beforeEach(() =>
  application.query(
    `truncate chronawflow.job, chronawflow.dead_letter, chronawflow.job_hold, chronawflow.job_limit,
       chronawflow.idempotency, chronawflow.audit_outbox`,
  ),
);

const REF = { tenant: 'a', type: 'mail', key: 'k' };
const RULES = {
  retry: { maxAttempts: 1, initialMs: 1, factor: 1, maxMs: 1, nonRetryable: [] },
  retriesPerMinute: 60,
  process: 'this',
  killsAlone: 3,
};

async function addJob(state: string): Promise<void> {
  await application.query(
    `insert into chronawflow.job (tenant, type, key, fingerprint, input, priority, state, run_at, lease_until)
     values ('a', 'mail', 'k', 'f', '{}', 3, $1, now(), now() + interval '1 minute')`,
    [state],
  );
}

async function addDead(): Promise<void> {
  await addJob('dead');
  await application.query(
    `insert into chronawflow.dead_letter (tenant, type, key, reason, attempts, errors)
     values ('a', 'mail', 'k', 'ATTEMPTS_EXHAUSTED', 1, '[]')`,
  );
}

const told = async () =>
  (
    await application.query<{
      action: string;
      actor: string;
      tenant: string;
      object: string;
      outcome: string;
    }>('select action, actor, tenant, object, outcome from chronawflow.audit_outbox order by seq')
  ).rows;

/** Runs `act` while no event can be written: it has to fail, and leave nothing. */
async function withoutOutbox(act: () => Promise<unknown>): Promise<void> {
  await application.query('alter table chronawflow.audit_outbox rename to away');
  try {
    await expect(act()).rejects.toMatchObject({ code: '42P01' });
  } finally {
    await application.query('alter table chronawflow.away rename to audit_outbox');
  }
}

const stateOf = async () =>
  (await application.query<{ state: string }>('select state from chronawflow.job')).rows[0]?.state;

const by = { by: 'ada' };

describe('an act and its event are one transaction', () => {
  const acts: readonly [string, () => Promise<unknown>, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['job.redrive', addDead, () => redrive(application, REF, by), stateOf],
    [
      'job.discard',
      addDead,
      () => discard(application, REF, { ...by, reason: 'by hand', retentionMs: 1_000 }),
      async () => (await application.query('select state from chronawflow.dead_letter')).rows,
    ],
    [
      'job.quarantine',
      () => addJob('waiting'),
      () => hold(application, REF, { ...by, kind: 'quarantine', reason: 'floods' }),
      async () => (await application.query('select * from chronawflow.job_hold')).rows,
    ],
    [
      'job.release',
      async () => {
        await hold(application, REF, { ...by, kind: 'quarantine', reason: 'floods' });
        await application.query('truncate chronawflow.audit_outbox');
      },
      () => release(application, REF, { ...by, kind: 'quarantine' }),
      async () => (await application.query('select * from chronawflow.job_hold')).rows,
    ],
    [
      'job.limit',
      () => addJob('waiting'),
      () => setLimit(application, { tenant: 'a', type: 'mail' }, { inFlight: 1 }, { by: 'ada' }),
      async () => (await application.query('select in_flight from chronawflow.job_limit')).rows,
    ],
  ];

  test.each(acts)('%s', async (action, prepare, act, look) => {
    await prepare();
    const before = await look();
    await withoutOutbox(act);
    expect(await look()).toEqual(before);
    await act();
    expect(await look()).not.toEqual(before);
    expect(await told()).toMatchObject([{ action, actor: 'ada', tenant: 'a', outcome: 'ok' }]);
  });

  test('job.attempt-lost, for every lease that lapsed', async () => {
    await addJob('handed');
    await beginAttempts(application, [newAttempt(REF, 'gone')], 1);
    await until(
      async () =>
        (await application.query('select from chronawflow.job where lease_until < clock_timestamp()'))
          .rowCount === 1,
    );
    await withoutOutbox(() => findEnd(application, REF, RULES));
    expect(await stateOf()).toBe('running');
    await findEnd(application, REF, RULES);
    expect(await told()).toEqual([
      {
        action: 'job.attempt-lost',
        actor: 'chronawflow',
        tenant: 'a',
        object: 'mail/k',
        outcome: 'ATTEMPT_LOST',
      },
    ]);
    // Looked at again it is no longer running.
    await findEnd(application, REF, RULES);
    expect(await told()).toHaveLength(1);
  });

  test('idempotency.taken-over, replayed and rejected', async () => {
    const ref = { tenant: 'a', scope: 'POST /invoices', key: 'k' };
    const manager = new IdempotencyManager(application, { leaseMs: 1, actor: 'api' });
    await manager.startExecution(ref, 1);
    await until(
      async () =>
        (await application.query('select from chronawflow.idempotency where lease_until < clock_timestamp()'))
          .rowCount === 1,
    );
    await withoutOutbox(() => manager.startExecution(ref, 1));
    const fenceOf = async () =>
      (await application.query<{ fence: string }>('select fence from chronawflow.idempotency')).rows[0]
        ?.fence;
    expect(await fenceOf()).toBe('1');
    const answer = await manager.startExecution(ref, 1);
    if (answer.kind !== 'started') throw new Error('not taken over');
    expect(await fenceOf()).toBe('2');
    await manager.completeExecution(answer.execution, null);
    await manager.startExecution(ref, 1);
    await expect(manager.startExecution(ref, 2)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    await expect(manager.checkIdempotency(ref, 2)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    const event = { actor: 'api', tenant: 'a', object: 'POST /invoices/k' };
    expect(await told()).toEqual([
      { ...event, action: 'idempotency.taken-over', outcome: 'ok' },
      { ...event, action: 'idempotency.replayed', outcome: 'ok' },
      { ...event, action: 'idempotency.rejected', outcome: 'IDEMPOTENCY_KEY_REUSED' },
      { ...event, action: 'idempotency.rejected', outcome: 'IDEMPOTENCY_KEY_REUSED' },
    ]);
  });
});

const write = (count: number, action: string) =>
  writeOutbox(
    application,
    Array.from({ length: count }, (_, n) => ({ action, actor: 'ada', object: `o${n}`, outcome: 'ok' })),
  );

const logged = async (action: string) =>
  (
    await platform.query<{ object: string; at: string | null }>(
      `select object, details ->> 'at' as at from chronawflow.audit_event where action = $1
       order by substr(object, 2)::integer`,
      [action],
    )
  ).rows;

test('events of many forwarders at once are in the log once each, with the time at which they happened', async () => {
  await write(1_200, 'many');
  const counts = await Promise.all(Array.from({ length: 4 }, () => forwardOutbox(application, platform)));
  let more: number;
  do {
    more = await forwardOutbox(application, platform);
    counts.push(more);
  } while (more > 0);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_200);
  const events = await logged('many');
  expect(events.map(({ object }) => object)).toEqual(Array.from({ length: 1_200 }, (_, n) => `o${n}`));
  expect(events.every(({ at }) => at !== null)).toBe(true);
  expect(await told()).toEqual([]);
});

test('8: an event that a run has led to names it, here and there, and one that none has names none', async () => {
  const asked = { request: 'contain/t1', run: 'e2a1' };
  await addDead();
  await onBehalfOf(asked, () => redrive(application, REF, by));
  const manager = new IdempotencyManager(application);
  const ref = { tenant: 'a', scope: 'POST /invoices', key: 'asked' };
  await manager.startExecution(ref, 1);
  const again = onBehalfOf(asked, () => manager.startExecution(ref, 2));
  await expect(again).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  await expect(manager.startExecution(ref, 2)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  const expected = [
    { action: 'job.redrive', ...asked },
    { action: 'idempotency.rejected', ...asked },
    { action: 'idempotency.rejected', request: null, run: null },
  ];
  const { rows: waiting } = await application.query(
    'select action, request, run from chronawflow.audit_outbox order by seq',
  );
  expect(waiting).toEqual(expected);
  const { rows: from } = await platform.query<{ before: string }>('select clock_timestamp()::text as before');
  expect(await forwardOutbox(application, platform)).toBe(3);
  const { rows: brought } = await platform.query(
    `select action, request, run from chronawflow.audit_event where at >= $1 order by details ->> 'at'`,
    [from[0]?.before],
  );
  expect(brought).toEqual(expected);
});

test('an event that was brought over before the connection was lost is brought again, and is there once', async () => {
  await write(3, 'again');
  await application.query(
    `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'lost'; end $$;
     create trigger lost before delete on chronawflow.audit_outbox for each row execute function refuse()`,
  );
  await expect(forwardOutbox(application, platform)).rejects.toThrow('lost');
  expect(await logged('again')).toHaveLength(3);
  await application.query('drop trigger lost on chronawflow.audit_outbox; drop function refuse()');
  expect(await forwardOutbox(application, platform)).toBe(3);
  expect(await logged('again')).toHaveLength(3);
});

test('while the control plane is away events wait, and nothing of the application does', async () => {
  const away = postgres.connect('nowhere', 'postgres', 1);
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => void warnings.push(message) };
  const waiting = new OutboxForwarder(application, away, log);
  waiting.start();
  await addDead();
  await redrive(application, REF, by);
  await until(() => warnings.length > 0);
  await waiting.stop();
  expect(await told()).toHaveLength(1);
  const forwarder = new OutboxForwarder(application, platform, log);
  forwarder.start();
  await until(async () => (await told()).length === 0);
  await forwarder.stop();
  await away.end();
});
