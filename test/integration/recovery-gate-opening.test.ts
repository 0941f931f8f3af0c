import {
  extendGate,
  freezeTenant,
  gateState,
  openGate,
  removeGate,
  sweepGates,
} from '../../core/recovery/gate';
import { inTransaction } from '../../database';
import { until } from '../support/until';
import { type GateFixture, openTransaction, outcome, startGateFixture } from './recovery-gate-fixture';

/** Numbers in the names are the lines of the restore's requirements: 1 to 7 are the gate. */
describe('the tenant gate, opened, prolonged and removed', () => {
  let f: GateFixture;
  beforeAll(async () => {
    f = await startGateFixture();
  });
  afterAll(() => f.stop());
  afterEach(() => f.reset());

  const freeze = async (id: string, changes: Parameters<GateFixture['spec']>[1] = {}) => {
    await f.openRestore(id);
    return freezeTenant(f.gate, f.spec(id, changes), {});
  };

  describe('opening', () => {
    it('1: admits writes with the commit of the transaction that opens it, not before', async () => {
      await freeze('r1');
      const merge = await openTransaction(f.gate, []);
      await openGate(merge.client, 'r1');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('TF001');
      await merge.end('commit');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
    });

    it('1: leaves the tenant frozen when that transaction rolls back', async () => {
      await freeze('r1');
      const merge = await openTransaction(f.gate, []);
      await openGate(merge.client, 'r1');
      await merge.end('rollback');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('TF001');
    });

    it('opens by itself when the time is up, and says so to whoever relies on it', async () => {
      const { until: end } = await freeze('r1', { untilMs: 3_000 });
      const write = 'update "Invoices" set amount = 12 where id = 1';
      await until(async () => {
        const found = await outcome(f.app, write);
        if (found !== 'ok') expect(found).toBe('TF001');
        return found === 'ok';
      });
      const { rows } = await f.gate.query<{ over: boolean }>(
        'select clock_timestamp() >= $1::timestamptz as over',
        [end],
      );
      expect(rows[0]?.over).toBe(true);
      expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'expired' });
      await expect(extendGate(f.gate, 'r1', 60_000)).rejects.toMatchObject({ code: 'FREEZE_EXPIRED' });
      await expect(inTransaction(f.gate, (tx) => openGate(tx, 'r1'))).rejects.toMatchObject({
        code: 'FREEZE_EXPIRED',
      });
    });

    it('is prolonged, and never shortened', async () => {
      await freeze('r1', { untilMs: 60_000 });
      const longer = await extendGate(f.gate, 'r1', 120_000);
      expect(await extendGate(f.gate, 'r1', 1)).toEqual(longer);
      expect(await gateState(f.gate, 'r1')).toMatchObject({ kind: 'frozen', until: longer.until });
    });

    it('1: does not let an old snapshot take an extended freeze for expired', async () => {
      await freeze('r1');
      const endsIn = (time: string) =>
        f.superuser.query(`update chronawflow.gate set until = clock_timestamp() + $1::interval`, [time]);
      // What the snapshot sees is over; the extension came in time, and the snapshot does not see it.
      await endsIn('0');
      const old = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
      await endsIn('1 minute');
      await extendGate(f.gate, 'r1', 600_000);
      expect(await outcome(old.client, 'update "Invoices" set amount = 1 where id = 1')).toBe('40001');
      await old.end();
    });

    it('is noticed by the merge when a writer got in by expiry and has not committed yet', async () => {
      await freeze('r1', { untilMs: 300 });
      await until(async () => (await gateState(f.gate, 'r1')).kind === 'expired');
      const writer = await openTransaction(f.app, ['update "Invoices" set amount = 13 where id = 1']);
      const opening = inTransaction(f.gate, (tx) => openGate(tx, 'r1'));
      const settled = expect(opening).rejects.toMatchObject({ code: 'FREEZE_EXPIRED' });
      await writer.end('commit');
      await settled;
    });
  });

  describe('repeated calls', () => {
    it('freezes twice with one result', async () => {
      const first = await freeze('r1');
      const second = await freezeTenant(f.gate, f.spec('r1'), {});
      expect(second).toMatchObject({ frozenAt: first.frozenAt, until: first.until, attempts: 0 });
    });

    it('freezes once when two callers ask at the same time', async () => {
      await f.openRestore('r1');
      const both = await Promise.all(
        [1, 2].map(() => freezeTenant(f.gate, f.spec('r1', { attempts: 20 }), {})),
      );
      expect(both[0]?.frozenAt).toBe(both[1]?.frozenAt);
    });

    it('freezes again after expiry, and an old snapshot does not take the new freeze for the opened one', async () => {
      const first = await freeze('r1');
      await inTransaction(f.gate, (tx) => openGate(tx, 'r1'));
      const old = await openTransaction(f.app, ['select count(*) from organisations'], 'repeatable read');
      // The reader of organisations stands in the way of dropping that table's triggers, so end it after its look.
      await old.end();
      const sawOpen = await openTransaction(f.app, ['select 1 from pg_database'], 'repeatable read');
      const second = await freezeTenant(f.gate, f.spec('r1'), {});
      expect(second.frozenAt > first.frozenAt).toBe(true);
      expect(await outcome(sawOpen.client, 'update "Invoices" set amount = 1 where id = 1')).toBe('TF001');
      await sawOpen.end();
    });

    it('removes twice, and what was never frozen', async () => {
      await freeze('r1');
      const limits = { lockTimeoutMs: 300, attempts: 3 };
      expect(await removeGate(f.gate, 'r1', limits)).toEqual({ removed: true });
      expect(await removeGate(f.gate, 'r1', limits)).toEqual({ removed: true });
      expect(await removeGate(f.gate, 'unheard of', limits)).toEqual({ removed: true });
    });

    it('holds two tenants apart', async () => {
      await freeze('r1');
      await f.openRestore('r2', 'other');
      const lookup = {
        ...f.spec('r2', { tenant: 'other' }),
        tables: f.tables.filter((t) => t.name !== 'lines'),
      };
      await freezeTenant(f.gate, lookup, {});
      await removeGate(f.gate, 'r1', { lockTimeoutMs: 300, attempts: 3 });
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 2')).toBe('TF001');
    });

    it('sweeps what is over and leaves what is not', async () => {
      await freeze('r1');
      await f.openRestore('r2', 'other');
      await freezeTenant(f.gate, f.spec('r2', { tenant: 'other', tables: f.tables.slice(0, 2) }), {});
      expect(await sweepGates(f.gate)).toEqual([]);
      await f.gate.query(
        `update chronawflow.restore set state = 'failed', closed_at = now() where id = 'r1'`,
      );
      expect(await sweepGates(f.gate)).toEqual([{ restoreId: 'r1', removed: true }]);
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 1')).toBe('ok');
      expect(await outcome(f.app, 'update "Invoices" set amount = 11 where id = 2')).toBe('TF001');
    });
  });
});
