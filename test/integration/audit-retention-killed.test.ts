import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { formatVerifierKey } from '../../core/audit';
import { retain } from '../../core/retention';
import {
  RETENTION_KEY as key,
  type RetentionLab,
  RETENTION_REQUEST as request,
  useRetentionLab,
} from '../support/retention-lab';
import { until } from '../support/until';

/** The invariants are those of core/retention/README.md. */

const ROOT = join(__dirname, '..', '..');
let lab: RetentionLab;
useRetentionLab((opened) => {
  lab = opened;
});

describe('from the command line', () => {
  let directory: string;
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  });
  beforeEach(async () => {
    directory = await lab.ownDirectory('retain-cli');
    const connection = lab.connection('chronawflow');
    await writeFile(
      join(directory, 'chronawflow.yaml'),
      stringify({
        platform: { database: connection },
        application: { database: connection, backup: { stanza: 'none', configFile: 'none' } },
        tenancy: { table: 'public.tenants' },
        audit: { publicKey: formatVerifierKey(key) },
      }),
      { mode: 0o600 },
    );
  });

  function start(...args: readonly string[]): ChildProcess {
    const env = {
      ...process.env,
      CHRONAWFLOW_CONFIG: join(directory, 'chronawflow.yaml'),
      NODE_NO_WARNINGS: '1',
    };
    const main = join(ROOT, 'dist', 'client', 'cli', 'main.js');
    return spawn(process.execPath, [main, 'audit', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  const RETAIN = ['retain', '--older-than', '1ms', '--reason', 'policy 7', '--as', 'grace', '--yes'] as const;

  test('invariant 3: killed in the middle, it leaves whole bundles, and the next call goes on', async () => {
    await lab.record('acme', 6_000);
    // Decided and sealed: while the transaction below runs, nothing more is sealed.
    await expect(
      lab.retaining(() => retain({ platform: lab.platform, retainer: lab.platform }, request)),
    ).rejects.toMatchObject({
      code: '42501',
    });
    await lab.owner.query('grant chronawflow_retention to chronawflow');
    const blocker = await lab.owner.connect();
    try {
      // It cannot come past this entry: the first sixteen bundles are gone by then, and the rest is not.
      await blocker.query('begin');
      await blocker.query(
        `select from chronawflow.audit_bundle n join chronawflow.audit_log l on l.id = n.log where l.tenant = 'acme' and n.first <= 5000 and n.first + n.count > 5000 for update of n`,
      );
      const killed = start(...RETAIN);
      const ended = once(killed, 'exit');
      try {
        await until(waits, { limitMs: 90_000, what: 'it to wait in the middle' });
      } finally {
        killed.kill('SIGKILL');
        await ended;
      }
    } finally {
      await blocker.query('rollback');
      blocker.release();
    }
    const halfway = await lab.verify();
    expect(halfway.violations).toEqual([]);
    expect(halfway.dropped).toMatchObject([{ entries: 4_096, minimumIndex: 5_888 }]);
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 6_000 - 4_096 });
    const [code] = await lab.retaining(() => once(start(...RETAIN), 'exit'));
    expect(code).toBe(0);
    const found = await lab.verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 5_888 }]);
    expect(await lab.rowsOf('acme')).toMatchObject({ events: 112, personal: 0 });
  }, 300_000);

  /** Whether somebody who drops waits for a lock. */
  async function waits(): Promise<boolean> {
    const { rowCount } = await lab.owner.query(
      `select from pg_stat_activity where application_name = 'chronawflow retention' and wait_event_type = 'Lock' and datname = $1`,
      [lab.name],
    );
    return rowCount === 1;
  }
});
