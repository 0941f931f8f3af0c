import fc from 'fast-check';
import type { Pool } from 'pg';
import {
  type Execution,
  ExecutionFencedError,
  ExecutionRunningError,
  type IdempotencyEvent,
  IdempotencyKeyReusedError,
  IdempotencyManager,
} from '../../core/idempotency';
import { applyMigrations, inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

let postgres: RealPostgres;
let pool: Pool;
let next = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.createDatabase('app');
  pool = postgres.connect('app', 'postgres', 20);
  await applyMigrations(pool, 'application');
  await pool.query('create table effect (name text not null)');
});
afterAll(() => postgres?.stop());

const ref = (tenant = 'acme') => ({ tenant, scope: 'invoice', key: `k${next++}` });

function manager(options: { leaseMs?: number; retentionMs?: number } = {}) {
  const events: IdempotencyEvent[] = [];
  const idempotency = new IdempotencyManager(pool, {
    leaseMs: 60_000,
    ...options,
    onEvent: async (event) => {
      events.push(event);
    },
  });
  return { idempotency, events };
}

async function started(idempotency: IdempotencyManager, at: ReturnType<typeof ref>, payload: unknown = {}) {
  const answer = await idempotency.startExecution(at, payload);
  if (answer.kind !== 'started') throw new Error(`expected to start, was ${answer.kind}`);
  return answer.execution;
}

/** The lease is over by the database's clock, as after a stall of its owner. */
const lapse = (at: ReturnType<typeof ref>) =>
  pool.query(
    `update chronawflow.idempotency set lease_until = clock_timestamp() - interval '1 second' where key = $1`,
    [at.key],
  );

const complete = (idempotency: IdempotencyManager, execution: Execution, result: unknown) =>
  inTransaction(pool, async (tx) => {
    await tx.query('insert into effect values ($1)', [execution.ref.key]);
    await idempotency.completeExecution(execution, result, tx);
  });

const effects = async (at: ReturnType<typeof ref>) =>
  (await pool.query('select from effect where name = $1', [at.key])).rowCount;

test('effects and record commit together, and the next request gets the recorded result', async () => {
  const { idempotency, events } = manager();
  const at = ref();
  const run = () =>
    idempotency.execute(at, { amount: 1 }, async (tx) => {
      await tx.query('insert into effect values ($1)', [at.key]);
      return { number: 7 };
    });
  expect(await run()).toEqual({ number: 7 });
  expect(await run()).toEqual({ number: 7 });
  expect(await effects(at)).toBe(1);
  expect(events).toEqual([{ kind: 'replayed', ref: at, fence: 1 }]);
});

test('of many requests at once one has its effects, the others wait or get its result (invariant 3)', async () => {
  const { idempotency } = manager();
  const at = ref();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () =>
      idempotency.execute(at, {}, async (tx) => {
        await tx.query('insert into effect values ($1)', [at.key]);
        return 'done';
      }),
    ),
  );
  for (const result of results) {
    if (result.status === 'fulfilled') expect(result.value).toBe('done');
    else expect(result.reason).toBeInstanceOf(ExecutionRunningError);
  }
  expect(results.some((result) => result.status === 'fulfilled')).toBe(true);
  expect(await effects(at)).toBe(1);
});

test('of many that find a lapsed lease one takes over (invariant 3)', async () => {
  const { idempotency, events } = manager();
  const at = ref();
  await started(idempotency, at);
  await lapse(at);
  const answers = await Promise.all(Array.from({ length: 20 }, () => idempotency.startExecution(at, {})));
  expect(answers.filter((answer) => answer.kind === 'started')).toEqual([
    expect.objectContaining({ takenOver: true, execution: expect.objectContaining({ fence: 2 }) }),
  ]);
  expect(events).toEqual([{ kind: 'taken-over', ref: at, fence: 2 }]);
});

test('another payload is refused while it runs and after it is done (invariant 2)', async () => {
  const { idempotency, events } = manager();
  const at = ref();
  const execution = await started(idempotency, at, { amount: 1 });
  await expect(idempotency.startExecution(at, { amount: 2 })).rejects.toBeInstanceOf(
    IdempotencyKeyReusedError,
  );
  await lapse(at);
  await expect(idempotency.startExecution(at, { amount: 2 })).rejects.toBeInstanceOf(
    IdempotencyKeyReusedError,
  );
  await complete(idempotency, execution, null);
  await expect(idempotency.checkIdempotency(at, { amount: 2 })).rejects.toBeInstanceOf(
    IdempotencyKeyReusedError,
  );
  expect(events.map((event) => event.kind)).toEqual(['rejected', 'rejected', 'rejected']);
});

test('tenants do not share keys (invariant 1)', async () => {
  const { idempotency } = manager();
  const at = ref('acme');
  await idempotency.execute(at, {}, async () => 'of acme');
  expect(
    await idempotency.execute({ ...at, tenant: 'globex' }, { other: true }, async () => 'of globex'),
  ).toBe('of globex');
});

test('an owner whose lease was taken over cannot complete, and its effects roll back (invariant 4)', async () => {
  const { idempotency } = manager();
  const at = ref();
  const stalled = await started(idempotency, at);
  await lapse(at);
  const second = await started(idempotency, at);
  expect(second.fence).toBeGreaterThan(stalled.fence);
  await expect(complete(idempotency, stalled, 'first')).rejects.toBeInstanceOf(ExecutionFencedError);
  await expect(idempotency.renewExecution(stalled)).rejects.toBeInstanceOf(ExecutionFencedError);
  await idempotency.abandonExecution(stalled);
  expect(await effects(at)).toBe(0);
  await complete(idempotency, second, 'second');
  expect(await idempotency.checkIdempotency(at, {})).toEqual({ kind: 'completed', result: 'second' });
});

test('a take-over waits for a completion that is about to commit (invariant 4)', async () => {
  const { idempotency } = manager();
  const at = ref();
  const execution = await started(idempotency, at);
  await lapse(at);
  let takeOver: ReturnType<IdempotencyManager['startExecution']> | undefined;
  await inTransaction(pool, async (tx) => {
    await idempotency.completeExecution(execution, 'in time', tx);
    takeOver = idempotency.startExecution(at, {});
    await until(
      async () =>
        ((
          await pool.query(
            `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%idempotency%'`,
          )
        ).rowCount ?? 0) > 0,
    );
  });
  expect(await takeOver).toEqual({ kind: 'completed', result: 'in time' });
});

test('work that fails leaves no effect, and the next request need not wait for the lease', async () => {
  const { idempotency } = manager();
  const at = ref();
  await expect(
    idempotency.execute(at, {}, async (tx) => {
      await tx.query('insert into effect values ($1)', [at.key]);
      throw new Error('the bank said no');
    }),
  ).rejects.toThrow('the bank said no');
  expect(await effects(at)).toBe(0);
  expect(await idempotency.execute(at, {}, async () => 'second try')).toBe('second try');
});

test('work that takes longer than the lease keeps it', async () => {
  const { idempotency } = manager({ leaseMs: 1_500 });
  const at = ref();
  let leases = 0;
  await idempotency.execute(at, {}, async () => {
    const first = await idempotency.checkIdempotency(at, {});
    await until(async () => {
      const now = await idempotency.checkIdempotency(at, {});
      if (now.kind === 'running' && first.kind === 'running' && now.until > first.until) leases += 1;
      return leases > 0;
    });
    return null;
  });
  expect(leases).toBeGreaterThan(0);
});

test('after the retention the key is free, and the clean-up removes the record (invariant 6)', async () => {
  const { idempotency } = manager({ retentionMs: 0 });
  const at = ref();
  await idempotency.execute(at, { first: true }, async () => 1);
  expect(await idempotency.checkIdempotency(at, { second: true })).toEqual({ kind: 'unknown' });
  expect(await idempotency.execute(at, { second: true }, async () => 2)).toBe(2);
  await idempotency.expireRecords();
  const left = await pool.query('select from chronawflow.idempotency where key = $1', [at.key]);
  expect(left.rowCount).toBe(0);
});

test.each(['', 'x'.repeat(301), 'a\0b'])('a key that cannot be kept is refused', async (key) => {
  const { idempotency } = manager();
  await expect(idempotency.startExecution({ ...ref(), key }, {})).rejects.toMatchObject({
    code: 'INVALID_INPUT',
  });
});

type Step =
  | { readonly do: 'start'; readonly payload: 'p' | 'q' }
  | { readonly do: 'lapse' }
  | { readonly do: 'complete' | 'abandon' | 'renew'; readonly who: number };

/** The record as README.md tells it. */
class Model {
  state: 'absent' | 'started' | 'completed' = 'absent';
  payload = '';
  owner = -1;
  lapsed = false;
  fence = 0;
  result = -1;

  start(payload: string, who: number): string {
    if (this.state !== 'absent' && this.payload !== payload) return 'rejected';
    if (this.state === 'completed') return `completed ${this.result}`;
    if (this.state === 'started' && !this.lapsed) return 'running';
    Object.assign(this, { state: 'started', payload, owner: who, lapsed: false, fence: this.fence + 1 });
    return `started ${this.fence}`;
  }

  act(what: 'complete' | 'abandon' | 'renew', who: number): string {
    if (this.state !== 'started' || this.owner !== who) return what === 'abandon' ? 'ok' : 'fenced';
    if (what === 'complete') Object.assign(this, { state: 'completed', result: who });
    else this.lapsed = what === 'abandon';
    return 'ok';
  }
}

test('any sequence of calls goes as the state machine says', async () => {
  const { idempotency } = manager();
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constant('start' as const), payload: fc.constantFrom('p' as const, 'q' as const) }),
    fc.constant<Step>({ do: 'lapse' }),
    fc.record({
      do: fc.constantFrom('complete' as const, 'abandon' as const, 'renew' as const),
      who: fc.nat({ max: 4 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const at = ref();
      const model = new Model();
      const executions: Execution[] = [];
      for (const one of steps) {
        if (one.do === 'lapse') {
          await lapse(at);
          model.lapsed = true;
        } else if (one.do === 'start') {
          const expected = model.start(one.payload, executions.length);
          expect(await describeStart(idempotency, at, one.payload, executions)).toBe(expected);
        } else {
          const execution = executions[one.who];
          if (execution === undefined) continue;
          const acts = {
            complete: () => complete(idempotency, execution, one.who),
            abandon: () => idempotency.abandonExecution(execution),
            renew: () => idempotency.renewExecution(execution),
          };
          const outcome = await acts[one.do]().then(
            () => 'ok',
            (error: unknown) => (error instanceof ExecutionFencedError ? 'fenced' : String(error)),
          );
          expect(outcome).toBe(model.act(one.do, one.who));
        }
      }
      expect(await effects(at)).toBe(model.state === 'completed' ? 1 : 0);
    }),
    { numRuns: 60 },
  );
});

async function describeStart(
  idempotency: IdempotencyManager,
  at: ReturnType<typeof ref>,
  payload: string,
  executions: Execution[],
): Promise<string> {
  try {
    const answer = await idempotency.startExecution(at, payload);
    if (answer.kind === 'running') return 'running';
    if (answer.kind === 'completed') return `completed ${answer.result}`;
    executions.push(answer.execution);
    return `started ${answer.execution.fence}`;
  } catch (error) {
    if (error instanceof IdempotencyKeyReusedError) return 'rejected';
    throw error;
  }
}
