import { join } from 'node:path';
import { exportLogs, recordAuditEvent, verifyExport } from '../../core/audit';
import { RETENTION_KEY as key, type RetentionLab, useRetentionLab } from '../support/retention-lab';

/** The invariants are those of core/retention/README.md. */

let lab: RetentionLab;
useRetentionLab((opened) => {
  lab = opened;
});

describe('invariant 6: what was not dropped by a retention is found', () => {
  const OF = `(select id from chronawflow.audit_log where tenant = 'acme')`;
  /** As a retention would do it, by somebody who has the database. */
  const removePrefix = (bundles: number) => [
    `insert into chronawflow.audit_dropped (log, index, hashes)
     select log, first / 256, string_agg(chronawflow.leaf_hashes(entries), ''::bytea order by first)
       from chronawflow.audit_bundle where log = ${OF} and first < ${bundles * 256} group by 1, 2`,
    `delete from chronawflow.audit_personal p using chronawflow.audit_place n where n.log = ${OF} and n.index < ${bundles * 256} and p.event_id = n.event_id`,
    `delete from chronawflow.audit_event e using chronawflow.audit_place n where n.log = ${OF} and n.index < ${bundles * 256} and e.id = n.event_id`,
    `delete from chronawflow.audit_bundle where log = ${OF} and first < ${bundles * 256}`,
  ];
  const removed = async (bundles: number) => {
    await lab.owner.query('alter table chronawflow.audit_personal disable trigger audit_personal_only_erase');
    await lab.withoutTriggers(...removePrefix(bundles));
    await lab.owner.query(
      'alter table chronawflow.audit_personal enable always trigger audit_personal_only_erase',
    );
  };

  test('a prefix that went without a decision', async () => {
    await lab.record('acme', 600);
    await removed(1);
    expect(await lab.problems()).toEqual([
      'its first 256 entries are missing, and no retention that is in the log has dropped them',
    ]);
    const directory = await lab.ownDirectory('removed');
    await exportLogs(lab.platform, key, join(directory, 'all'));
    const { violations } = await verifyExport(join(directory, 'all'), key);
    expect(violations.map(({ problem }) => problem)).toEqual(await lab.problems());
  });

  test('more of it than was decided', async () => {
    await lab.record('acme', 300);
    await lab.retainAll();
    await lab.record('acme', 600, 300);
    await lab.owner.query(`delete from chronawflow.audit_dropped where false`);
    await lab.withoutTriggers(`delete from chronawflow.audit_dropped where log = ${OF}`);
    expect((await lab.problems()).join()).toContain('entries/0 has 0 of 256');
  });

  test('a decision that is not sealed, or about another log', async () => {
    await lab.record('acme', 600);
    await removed(2);
    await recordAuditEvent(lab.owner, {
      id: 'forged',
      ...{
        actor: 'eve',
        action: 'audit.retain',
        tenant: 'acme',
        object: 'example.org/audit/other',
        outcome: 'ok',
      },
      details: { minimumIndex: 512, personalBefore: 512, olderThan: 1 },
    });
    const missing = 'its first 512 entries are missing, and no retention that is in the log has dropped them';
    expect(await lab.problems()).toEqual([missing]);
    await lab.sealAll();
    expect(await lab.problems()).toEqual([missing]);
  });

  test('a hash that was kept and is another one', async () => {
    await lab.record('acme', 600);
    await lab.retainAll();
    await lab.withoutTriggers(
      `update chronawflow.audit_dropped set hashes = set_byte(hashes, 40, 0) where get_byte(hashes, 40) <> 0 and index = 0`,
      `update chronawflow.audit_dropped set hashes = set_byte(hashes, 41, get_byte(hashes, 41) # 1) where index = 0`,
    );
    expect((await lab.problems()).join('\n')).toContain('are not those that its checkpoint signs');
  });
});
