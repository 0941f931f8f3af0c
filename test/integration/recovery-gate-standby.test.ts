import { freezeTenant } from '../../core/recovery/gate';
import { armTable } from '../../core/recovery/gate/arm-table';
import { beginFreeze, openGateNow } from '../../core/recovery/gate/gate-row';
import { readRelations } from '../../core/recovery/gate/read-relations';
import { dropGate } from '../../core/recovery/gate/remove-gate';
import { until } from '../support/until';
import { type GateFixture, startGateFixture } from './recovery-gate-fixture';

describe('a gate where commits wait for a synchronous standby', () => {
  let f: GateFixture;
  beforeAll(async () => {
    f = await startGateFixture();
  });
  afterAll(() => f.stop());
  afterEach(() => f.reset());

  /** From now on no commit returns that waits for one. */
  async function standby(name: string): Promise<void> {
    await f.superuser.query(`alter system set synchronous_standby_names = '${name}'`);
    await f.superuser.query('select pg_reload_conf()');
    await until(
      async () =>
        (await f.superuser.query('show synchronous_standby_names')).rows[0]?.synchronous_standby_names ===
        name,
      { what: 'the setting' },
    );
  }

  it('4: no table stays locked for a standby that does not answer', async () => {
    const restoreId = 'rstandby';
    const spec = f.spec(restoreId);
    await f.openRestore(restoreId);
    const leaseMs = 600_000;
    const frozenAt = (await beginFreeze(f.gate, spec, leaseMs)) ?? '';
    const relations = await readRelations(f.gate, spec.tables, restoreId);
    const freeze = { restoreId, tenant: spec.tenant, frozenAt, leaseMs, budgetMs: 60_000 };
    await standby('nobody');
    try {
      for (const [i, table] of spec.tables.entries()) {
        const seen = relations.filter((relation) => relation.table === i);
        expect(await armTable(f.gate, freeze, table, seen)).toMatchObject({ armed: true });
      }
    } finally {
      await standby('');
    }
    expect(await freezeTenant(f.gate, spec, {})).toMatchObject({ tables: spec.tables.length });

    await openGateNow(f.gate, restoreId);
    await standby('nobody');
    try {
      expect(await dropGate(f.gate, restoreId, { lockTimeoutMs: 60_000, attempts: 3 })).toEqual({
        removed: true,
      });
      expect(await f.leftovers()).toEqual([]);
    } finally {
      await standby('');
    }
  });
});
