import { setTimeout as sleep } from 'node:timers/promises';
import { FreezeBlockedError } from '../../core/recovery/errors/freeze-blocked-error';
import { extendGate, freezeTenant, gateState, removeGate, sweepGates } from '../../core/recovery/gate';
import { armTable } from '../../core/recovery/gate/arm-table';
import { beginFreeze } from '../../core/recovery/gate/gate-row';
import { readRelations } from '../../core/recovery/gate/read-relations';
import {
  type GateFixture,
  openTransaction,
  outcome,
  startGateFixture,
} from '../integration/recovery-gate-fixture';
import { until } from '../support/until';
import { startWriter } from './gate-writer';

/** Numbers in the names are the lines of the restore's requirements: 1 to 7 are the gate. */
describe('the tenant gate among sessions that are in the way', () => {
  let f: GateFixture;
  beforeAll(async () => {
    f = await startGateFixture({ autovacuum_naptime: '1s', max_connections: 60 });
    await f.superuser.query('create table control (id int8); grant insert on control to public');
    // In the way only where a test says so: after the writers of one test it would come in the middle of another.
    await f.superuser.query(
      `do $$ declare one regclass; begin
         for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
           execute format('alter table %s set (autovacuum_enabled = off)', one);
         end loop; end $$`,
    );
  });
  afterAll(() => f.stop());
  afterEach(() => f.reset());

  const LOCK_TIMEOUT_MS = 300;
  /** What a statement may take beside its wait. What the machine itself held up, a writer that no lock concerns tells. */
  const SLACK_MS = 250;
  const startControl = () => startWriter(f.app, ['insert into control values ($1)'], 1);
  const HELD_UP_MS = LOCK_TIMEOUT_MS + SLACK_MS;
  const ROUNDS = 8;
  let firstKey = 0;

  /** What the gate does it does each time; a machine that stops one process alone does so in some rounds. */
  const leastHeldUpMs = async (measure: (restoreId: string, fromKey: number) => Promise<number>) => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 1; round <= ROUNDS && least >= HELD_UP_MS; round += 1) {
      await f.reset();
      firstKey += 100_000_000;
      least = Math.min(least, await measure(`r${round}`, firstKey));
    }
    return least;
  };

  const blocked = async (id: string): Promise<FreezeBlockedError> => {
    await f.openRestore(id);
    const error = await freezeTenant(f.gate, f.spec(id), {}).catch((thrown: unknown) => thrown);
    if (error instanceof FreezeBlockedError) return error;
    throw error;
  };

  it('2: names the session with an open write of any tenant, without its query, and changes nothing', async () => {
    const writer = await openTransaction(f.app, [`update "Invoices" set amount = 4711 where id = 2`]);
    const error = await blocked('r1');
    await writer.end();
    expect(error).toMatchObject({ code: 'FREEZE_BLOCKED', retryable: false });
    expect(error.blockers).toMatchObject([
      {
        kind: 'session',
        pid: writer.pid,
        user: 'app',
        state: 'idle in transaction',
        tables: ['public.Invoices'],
      },
    ]);
    expect(error.message).toContain(`pid ${writer.pid}`);
    expect(JSON.stringify(error)).not.toContain('4711');
    expect(await f.leftovers()).toEqual([]);
    expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'open' });
    expect(await outcome(f.app, 'update "Invoices" set amount = 1 where id = 1')).toBe('ok');
  });

  it('2: names a session that is busy', async () => {
    const client = await f.app.connect();
    const busy = client
      .query(`begin; update journal set note = 'x' where id = 2; select pg_sleep(600)`)
      .catch((e: Error) => e);
    await until(async () => (await sleeping()) > 0);
    const error = await blocked('r1');
    const [blocker] = error.blockers;
    if (blocker?.kind !== 'session') throw new Error('a session was expected');
    expect(blocker).toMatchObject({
      state: 'active',
      tables: expect.arrayContaining(['public.journal_2025']),
    });
    await f.superuser.query('select pg_cancel_backend($1)', [blocker.pid]);
    expect(await busy).toBeInstanceOf(Error);
    await client.query('rollback');
    client.release();
  });

  const sleeping = async () =>
    Number(
      (await f.superuser.query(`select count(*) from pg_stat_activity where wait_event = 'PgSleep'`)).rows[0]
        ?.count,
    );

  const wakeSleepers = () =>
    f.superuser.query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'`);

  it('2: names a prepared transaction by its gid', async () => {
    const client = await f.app.connect();
    await client.query(`begin; update lines set note = 'p' where id = 2; prepare transaction 'export-2026'`);
    const error = await blocked('r1');
    await client.query(`rollback prepared 'export-2026'`);
    client.release();
    expect(error.blockers).toMatchObject([
      { kind: 'prepared', gid: 'export-2026', user: 'app', tables: ['public.lines'] },
    ]);
    expect(error.message).toContain('export-2026');
    expect(await f.leftovers()).toEqual([]);
  });

  it('2: freezes as soon as the open writer ends, and that writer commits before the freeze', async () => {
    await f.openRestore('r1');
    const writer = await openTransaction(f.app, ['update "Invoices" set amount = 77 where id = 1']);
    const freezing = freezeTenant(f.gate, f.spec('r1', { attempts: 50 }), {});
    await sleep(LOCK_TIMEOUT_MS * 2);
    expect(['open', 'arming']).toContain((await gateState(f.gate, 'r1')).kind);
    await writer.end('commit');
    await freezing;
    expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'frozen' });
    expect((await f.app.query(`select amount::int from "Invoices" where id = 1`)).rows).toEqual([
      { amount: 77 },
    ]);
    expect(await outcome(f.app, 'update "Invoices" set amount = 1 where id = 1')).toBe('TF001');
  });

  it('2: holds up nobody while an open write makes every try hopeless', async () => {
    const idle = await openTransaction(f.app, [`update "Invoices" set amount = 1 where id = 2`]);
    const held = await leastHeldUpMs(async (id, fromKey) => {
      const peer = startWriter(f.app, ['insert into "Invoices" values ($1, \'other\', 1)'], fromKey);
      const control = startControl();
      await f.openRestore(id);
      await expect(freezeTenant(f.gate, f.spec(id, { attempts: 5 }), {})).rejects.toThrow(FreezeBlockedError);
      const [{ longestMs, writes }, machine] = await Promise.all([peer.stop(), control.stop()]);
      expect(writes).toBeGreaterThan(10);
      expect(machine.errors).toEqual([]);
      return longestMs - machine.longestMs;
    });
    await idle.end();
    expect(held).toBeLessThan(HELD_UP_MS);
  }, 240_000);

  it('2: holds up others for no longer than the lock timeout while a busy write is in the way', async () => {
    const held = await leastHeldUpMs(async (id, fromKey) => {
      const client = await f.app.connect();
      const busy = client
        .query(`begin; update "Invoices" set amount = 1 where id = 2; select pg_sleep(600)`)
        .catch(() => client.query('rollback'));
      await until(async () => (await sleeping()) > 0);
      const peers = [
        startWriter(f.app, ['insert into "Invoices" values ($1, \'other\', 1)'], fromKey),
        startWriter(f.app, ["insert into lines values ($1, 2, 'other')"], fromKey),
        startWriter(f.app, ["insert into journal values ($1, 'other', 2026)"], fromKey),
      ];
      const control = startControl();
      await f.openRestore(id);
      let tries = 0;
      const progress = () => {
        tries += 1;
        if (tries === 4) void wakeSleepers();
      };
      const result = await freezeTenant(f.gate, f.spec(id, { attempts: 500 }), { progress });
      const [machine, ...stalls] = await Promise.all([control, ...peers].map((writer) => writer.stop()));
      await busy;
      client.release();
      expect(result.attempts).toBeGreaterThan(1);
      for (const { errors } of stalls) expect(errors).toEqual([]);
      const longestMs = Math.max(result.longestLockMs, ...stalls.map((one) => one.longestMs));
      return longestMs - (machine?.longestMs ?? 0);
    });
    expect(held).toBeLessThan(HELD_UP_MS);
  }, 240_000);

  it('2: never makes a client the victim of a deadlock, whatever order it takes its tables in', async () => {
    const peers = [1, 2, 3, 4].map((n) =>
      startWriter(
        f.app,
        n % 2 === 0
          ? [`insert into lines values ($1, 2, 'x')`, `insert into "Invoices" values ($1, 'other', 1)`]
          : [
              `insert into journal values ($1, 'other', 2026)`,
              `insert into "Invoices" values ($1, 'other', 1)`,
              `insert into lines values ($1, 2, 'x')`,
            ],
        n * 10_000_000,
      ),
    );
    for (let round = 0; round < 10; round++) {
      await f.openRestore(`d${round}`, `acme${round}`);
      await freezeTenant(f.gate, f.spec(`d${round}`, { attempts: 30 }), {});
      expect(await removeGate(f.gate, `d${round}`, { lockTimeoutMs: 300, attempts: 30 })).toEqual({
        removed: true,
      });
    }
    for (const { errors } of await Promise.all(peers.map((peer) => peer.stop()))) expect(errors).toEqual([]);
  });

  it('1: freezes past an idle reader in a transaction, and opens past it; only the triggers wait', async () => {
    const reader = await openTransaction(f.app, ['select count(*) from "Invoices"']);
    await f.openRestore('r1');
    expect((await freezeTenant(f.gate, f.spec('r1'), {})).attempts).toBe(1);
    const removal = await removeGate(f.gate, 'r1', { lockTimeoutMs: 200, attempts: 4 });
    expect(removal).toMatchObject({ removed: false, blockedBy: [{ kind: 'session', pid: reader.pid }] });
    expect(await outcome(f.app, 'update "Invoices" set amount = 1 where id = 1')).toBe('ok');
    expect(
      (await f.leftovers()).filter((name) => !name.includes('Invoices') && name.includes(' on ')),
    ).toEqual([]);
    await reader.end();
    expect(await sweepGates(f.gate)).toEqual([{ restoreId: 'r1', removed: true }]);
    expect(await f.leftovers()).toEqual([]);
  });

  it('leaves nothing half when its connection is killed in the middle', async () => {
    const client = await f.app.connect();
    const busy = client
      .query(`begin; update "Invoices" set amount = 1 where id = 2; select pg_sleep(600)`)
      .catch((e: Error) => e);
    await until(async () => (await sleeping()) > 0);
    await f.openRestore('r1');
    let ended = false;
    const freezing = freezeTenant(f.gate, f.spec('r1', { attempts: 500 }), {})
      .catch((error: unknown) => error)
      .finally(() => {
        ended = true;
      });
    // Again when its try was over just before it was hit: then it has another connection.
    await until(async () => {
      await f.superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'chronawflow' and wait_event_type = 'Lock'`,
      );
      return ended;
    });
    expect(await freezing).toMatchObject({ code: '57P01' });
    expect(await f.leftovers()).toEqual([]);
    await wakeSleepers();
    await busy;
    await client.query('rollback');
    client.release();
    expect((await freezeTenant(f.gate, f.spec('r1', { attempts: 20 }), {})).tables).toBe(f.tables.length);
  });

  it('is taken up by the next call when its maker dies between two tables, and opens by itself when there is none', async () => {
    await f.openRestore('r1');
    const leaseMs = 600_000;
    const frozenAt = await beginFreeze(f.gate, { restoreId: 'r1', tenant: 'acme' }, leaseMs);
    if (frozenAt === undefined) throw new Error('the freeze did not begin');
    const invoices = f.tables.filter((table) => table.name === 'Invoices');
    for (const table of invoices) {
      const seen = await readRelations(f.gate, [table], 'r1');
      await armTable(
        f.gate,
        { restoreId: 'r1', tenant: 'acme', frozenAt, leaseMs, budgetMs: 300 },
        table,
        seen,
      );
    }
    const write = 'update "Invoices" set amount = 1 where id = 1';
    expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'arming' });
    expect(await outcome(f.app, write)).toBe('TF001');
    // Its time passes.
    await f.superuser.query('update chronawflow.gate set until = clock_timestamp()');
    await until(async () => (await outcome(f.app, write)) === 'ok');
    await expect(extendGate(f.gate, 'r1', 1000)).rejects.toMatchObject({ code: 'FREEZE_EXPIRED' });

    expect(await freezeTenant(f.gate, f.spec('r1'), {})).toMatchObject({ frozenAt, tables: f.tables.length });
    expect(await outcome(f.app, write)).toBe('TF001');
    expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'frozen' });
  });

  it('waits for a writer that got in while the lease had run out', async () => {
    await f.openRestore('r1');
    const freeze = { restoreId: 'r1', tenant: 'acme', leaseMs: 1, budgetMs: 300 };
    const frozenAt = await beginFreeze(f.gate, freeze, 1);
    if (frozenAt === undefined) throw new Error('the freeze did not begin');
    for (const table of f.tables)
      await armTable(f.gate, { ...freeze, frozenAt }, table, await readRelations(f.gate, [table], 'r1'));
    const late = await openTransaction(f.app, ['update "Invoices" set amount = 99 where id = 1']);
    await expect(freezeTenant(f.gate, f.spec('r1'), {})).rejects.toMatchObject({ code: 'GATE_BUSY' });
    await late.end('commit');
    await freezeTenant(f.gate, f.spec('r1'), {});
    expect((await f.app.query('select amount::int from "Invoices" where id = 1')).rows).toEqual([
      { amount: 99 },
    ]);
  });

  it('stops between tries when it is cancelled', async () => {
    const writer = await openTransaction(f.app, ['update "Invoices" set amount = 1 where id = 2']);
    await f.openRestore('r1');
    const stop = new AbortController();
    const freezing = freezeTenant(f.gate, f.spec('r1', { attempts: 1000 }), { signal: stop.signal });
    const ended = expect(freezing).rejects.toMatchObject({ name: 'AbortError' });
    stop.abort();
    await ended;
    await writer.end();
    expect(await f.leftovers()).toEqual([]);
  });

  it('ends an autovacuum that is in the way', async () => {
    await f.superuser.query(`
      create table bulky (id int, tenant text, fill text) with (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
      insert into bulky select i, 'other', repeat('x', 500) from generate_series(1, 20000) i;
      grant all on bulky to chronawflow;
      delete from bulky where id % 2 = 0`);
    await until(
      async () =>
        ((
          await f.superuser.query(`select from pg_locks l join pg_stat_activity a using (pid)
           where l.relation = 'bulky'::regclass and a.backend_type = 'autovacuum worker'`)
        ).rowCount ?? 0) > 0,
      { limitMs: 60_000, what: 'an autovacuum of the table' },
    );
    await f.openRestore('r1');
    const tables = [
      { schema: 'public', name: 'bulky', condition: { kind: 'column', column: 'tenant', type: 'text' } },
    ] as const;
    const result = await freezeTenant(f.gate, f.spec('r1', { tables, attempts: 50 }), {});
    expect(result.attempts).toBeGreaterThan(1);
    await f.reset();
    await f.superuser.query('drop table bulky');
  });
});
