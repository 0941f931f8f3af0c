import { execFile } from 'node:child_process';
import { join } from 'node:path';
import {
  exportLogs,
  formatReceipt,
  formatVerifierKey,
  proveEvent,
  verifyExport,
  verifyReceipt,
} from '../../core/audit';
import { ExportedLog, proveConsistency, proveInclusion } from '../../core/audit/log';
import { verifierOf } from '../../core/audit/seal';
import { liftHold, placeHold } from '../../core/erasure';
import { retain } from '../../core/retention';
import {
  RETENTION_KEY as key,
  type RetentionLab,
  RETENTION_REQUEST as request,
  useRetentionLab,
} from '../support/retention-lab';

/** The invariants are those of core/retention/README.md. */

let lab: RetentionLab;
useRetentionLab((opened) => {
  lab = opened;
});

describe('what was sealed long enough ago', () => {
  test('goes in whole bundles with its personal data, and everything verifies as before', async () => {
    await lab.record('acme', 600);
    await lab.record('beta', 100);
    const [early, late] = [
      await proveEvent(lab.platform, 'acme7'),
      await proveEvent(lab.platform, 'acme530'),
    ];
    const { dropped, held } = await lab.retainAll();
    expect(held).toEqual([]);
    expect(dropped).toMatchObject([
      { tenant: 'acme', minimumIndex: 512, personalBefore: 600, entries: 512, personal: 12 },
      { tenant: 'beta', minimumIndex: 0, entries: 0, personal: 2 },
    ]);
    // 88 that stay, the decision and its end.
    expect(await lab.rowsOf('acme')).toEqual({ events: 88, entries: 90, personal: 0 });
    expect(await lab.rowsOf('beta')).toEqual({ events: 100, entries: 102, personal: 0 });
    const found = await lab.verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([
      { entries: 512, minimumIndex: 512, by: 'grace', reason: 'policy 7' },
    ]);
    for (const receipt of [early, late])
      expect(verifyReceipt(JSON.parse(formatReceipt(receipt)), key)).toMatchObject({ signedBy: [key.name] });
    expect(
      verifyReceipt(JSON.parse(formatReceipt(await proveEvent(lab.platform, 'acme530'))), key),
    ).toMatchObject({
      event: { id: 'acme530' },
    });
    await expect(proveEvent(lab.platform, 'acme7')).rejects.toMatchObject({
      code: 'EVENT_NOT_SEALED',
      message: expect.stringContaining('retention'),
    });
  });

  test('is dropped again later, when more of it is old', async () => {
    await lab.record('acme', 300);
    await lab.retainAll();
    await lab.record('acme', 300, 300);
    const { dropped } = await lab.retainAll();
    expect(dropped).toMatchObject([{ minimumIndex: 512, entries: 256, personal: 6 }]);
    expect((await lab.retainAll()).dropped).toEqual([]);
    const found = await lab.verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 512 }]);
  });

  test('leaves what is younger', async () => {
    await lab.record('acme', 600);
    const { dropped } = await lab.retaining(() => retain(lab.pools, { ...request, olderThan: 3_600_000 }));
    expect(dropped).toEqual([]);
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 600 });
  });

  test('is in an export by its hashes alone, which verifies here and by tools of others', async () => {
    await lab.record('acme', 600);
    await lab.retainAll();
    const directory = await lab.ownDirectory('retained');
    await exportLogs(lab.platform, key, join(directory, 'all'));
    const found = await verifyExport(join(directory, 'all'), key);
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 512 }]);
    const { rows } = await lab.platform.query<{ origin: string }>(
      `select origin from chronawflow.audit_log where tenant = 'acme'`,
    );
    const origin = rows[0]?.origin ?? '';
    const target = join(directory, 'all', 'logs', origin.split('/').at(-1) ?? '');
    const log = await ExportedLog.open(target);
    const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));
    const proofs = {
      Inclusion: [{ Index: 530, Proof: base64(await proveInclusion(log, 530)) }],
      Consistency: [{ Size: 100, Proof: base64(await proveConsistency(log, 100)) }],
    };
    expect(await inGo(target, formatVerifierKey(verifierOf(key, origin)), proofs)).toMatchObject({
      size: log.size,
      proofs: 2,
    });
  });
});

/** The verifier on others' libraries. */
function inGo(target: string, publicKey: string, proofs: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const program = process.env.CHRONAWFLOW_TLOG_VERIFIER ?? '';
    const child = execFile(program, ['-minimum', '512', target, publicKey], (error, stdout) =>
      error === null ? resolve(JSON.parse(stdout)) : reject(error),
    );
    child.stdin?.end(JSON.stringify(proofs));
  });
}

describe('nothing goes', () => {
  test('invariant 5: of a tenant with a legal hold, also on one person, and the answer says so', async () => {
    await lab.record('acme', 300);
    await lab.record('beta', 300);
    const hold = await placeHold(lab.platform, 'acme', 'ada@example.org', { by: 'root', reason: 'case 12' });
    await expect(lab.retainAll({ tenant: 'acme' })).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
      message: expect.stringMatching(
        /^Nothing was dropped: legal hold .* a person of tenant acme \(case 12\)/,
      ),
    });
    const { dropped, held } = await lab.retainAll();
    expect(dropped).toMatchObject([{ tenant: 'beta', entries: 256 }]);
    expect(held).toMatchObject([{ tenant: 'acme', hold: { id: hold } }]);
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 300, personal: 6 });
    await liftHold(lab.platform, hold, { by: 'root', reason: 'closed' });
    expect((await lab.retainAll({ tenant: 'acme' })).dropped).toMatchObject([{ entries: 256 }]);
    expect(await lab.problems()).toEqual([]);
  });

  test('invariant 1: before the decision is sealed; the next call ends it', async () => {
    await lab.record('acme', 300);
    await expect(retain(lab.pools, request, 200)).rejects.toMatchObject({
      code: 'EVENT_NOT_SEALED',
      retryable: true,
    });
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 300, personal: 6 });
    // Whoever goes past the program meets the triggers.
    await expect(
      lab.owner.query(`delete from chronawflow.audit_event where id = 'acme7'`),
    ).rejects.toMatchObject({
      code: '42501',
    });
    expect((await lab.retainAll()).dropped).toMatchObject([{ entries: 256 }]);
    expect(await lab.problems()).toEqual([]);
  });

  test('invariant 2: of a bundle that is not what was sealed', async () => {
    await lab.record('acme', 300);
    await lab.withoutTriggers(
      `update chronawflow.audit_bundle set entries = set_byte(entries, 20, 0) where 'acme7' = any (event_ids)`,
    );
    await expect(lab.retainAll()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 300 });
  });

  test('of a tenant that has no log', async () => {
    await expect(lab.retainAll({ tenant: 'nobody' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
