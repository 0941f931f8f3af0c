import fc from 'fast-check';
import { type Blocker, chooseApproach } from '../../core/recovery/gate/blocker.pure';
import { createGateFunction } from '../../core/recovery/gate/gate-function.pure';
import {
  type GateEvent,
  gateFunctionName,
  gateFunctionPrefix,
  gateTriggerName,
} from '../../core/recovery/gate/gate-names.pure';
import { backoffMs, busiestFirst, tryBudgetMs } from '../../core/recovery/gate/retry-plan.pure';

const session = (changes: Partial<Extract<Blocker, { kind: 'session' }>> = {}): Blocker => ({
  kind: 'session',
  pid: 1,
  applicationName: '',
  user: 'app',
  backendType: 'client backend',
  state: 'active',
  since: '',
  queryStart: '',
  transactionMs: 0,
  idleMs: 0,
  tables: ['public.t'],
  ...changes,
});

describe('names of the gate', () => {
  const events: GateEvent[] = ['insert', 'update', 'delete', 'truncate'];

  it('fit into 63 bytes for any restore ID', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.nat({ max: 99_999 }), (id, index) => {
        expect(Buffer.byteLength(gateFunctionName(id, index))).toBeLessThanOrEqual(63);
        for (const event of events)
          expect(Buffer.byteLength(gateTriggerName(id, event))).toBeLessThanOrEqual(63);
      }),
    );
  });

  it('of one restore are never taken for those of another', () => {
    const id = fc.oneof(fc.stringMatching(/^[a-z0-9_]{1,6}$/), fc.string({ maxLength: 40 }));
    fc.assert(
      fc.property(id, id, fc.nat(), (a, b, index) => {
        fc.pre(a !== b);
        expect(gateFunctionName(b, index).startsWith(gateFunctionPrefix(a))).toBe(false);
      }),
    );
  });

  it('show a plain restore ID as it is', () => {
    expect(gateFunctionName('r0123456789ab', 7)).toBe('gate_of_r0123456789ab__7');
    expect(gateTriggerName('r0123456789ab', 'insert')).toBe('chronawflow_gate_r0123456789ab_insert');
  });
});

describe('one try of the freeze', () => {
  it('never lasts until a deadlock check, and never longer than asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        (asked, deadlock) => {
          const budget = tryBudgetMs(asked, deadlock);
          expect(budget).toBeLessThanOrEqual(asked);
          expect(budget).toBeLessThanOrEqual(Math.max(1, deadlock * 0.8));
          expect(budget).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });

  it('is followed by a pause that is bounded and never nothing', () => {
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        random,
        (n, budget, r) => {
          const pause = backoffMs(n, budget, r);
          expect(pause).toBeGreaterThanOrEqual(1);
          expect(pause).toBeLessThanOrEqual(budget * 4 + 1);
        },
      ),
    );
  });

  it('queues behind busy sessions, not behind those that nobody works in', () => {
    expect(chooseApproach([], 300)).toEqual({ kind: 'queue' });
    expect(chooseApproach([session()], 300)).toEqual({ kind: 'queue' });
    expect(chooseApproach([session({ state: 'idle in transaction', idleMs: 20 })], 300)).toEqual({
      kind: 'queue',
    });
    expect(chooseApproach([session(), session({ idleMs: 301 })], 300)).toEqual({ kind: 'wait' });
    expect(
      chooseApproach([{ kind: 'prepared', gid: 'g', user: 'app', since: '', tables: ['public.t'] }], 300),
    ).toEqual({ kind: 'wait' });
  });

  it('has an autovacuum interrupted, unless something hopeless is in the way as well', () => {
    const vacuum = session({ backendType: 'autovacuum worker' });
    expect(chooseApproach([vacuum], 300)).toEqual({ kind: 'interrupt-autovacuum', table: 'public.t' });
    expect(chooseApproach([vacuum, session({ idleMs: 301 })], 300)).toEqual({ kind: 'wait' });
  });

  it('takes the tables that were in the way first and keeps the order otherwise', () => {
    expect(busiestFirst(['a', 'b', 'c', 'd'], (x) => x, new Set(['d', 'b']))).toEqual(['b', 'd', 'a', 'c']);
  });
});

describe('the gate function', () => {
  const freeze = { restoreId: 'r1', tenant: 'acme', frozenAt: '2026-01-01T00:00:00.000001Z' };

  it('runs with its owner’s rights and a pinned search_path, and nobody may call it', () => {
    const sql = createGateFunction(freeze, 0, { kind: 'column', column: 'tenant', type: 'text' });
    expect(sql).toContain('security definer');
    expect(sql).toContain('set search_path = pg_catalog, pg_temp');
    expect(sql).toContain('revoke all on function chronawflow."gate_of_r1__0"() from public');
  });
});
