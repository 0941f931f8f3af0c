import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { AuditRetentionClient } from '../../client/audit-retention';
import { FourEyes, type SignedRequest } from '../../client/four-eyes';
import { OperatorSigning } from '../../client/operator-signing';
import { OperatorsClient } from '../../client/operators';
import { type Config, configSchema } from '../../config';
import {
  exportLogs,
  formatReceipt,
  formatVerifierKey,
  generateSigningKey,
  proveEvent,
  recordAuditEvent,
  Sealer,
  verifyDatabase,
  verifyExport,
  verifyReceipt,
} from '../../core/audit';
import { ExportedLog, proveConsistency, proveInclusion } from '../../core/audit/log';
import { LogSigner, sealBatch, verifierOf } from '../../core/audit/seal';
import { liftHold, placeHold } from '../../core/erasure';
import { preparePlatformDatabase } from '../../core/local-stack';
import { type Signer, signerOfPem } from '../../core/operators';
import { type RetentionReport, retain } from '../../core/retention';
import { auditRetention } from '../../workers/audit-retention';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { removeDirectory, throwawayDirectory } from '../support/throwaway-directory';
import { until } from '../support/until';

/** The invariants are those of core/retention/README.md. */

const ROOT = join(__dirname, '..', '..');
const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });

const directories: string[] = [];
let postgres: RealPostgres;
let count = 0;
let name: string;
let owner: Pool;
let platform: Pool;
let retainer: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  for (const directory of directories) await removeDirectory(directory);
});
beforeEach(async () => {
  name = `retention_${++count}`;
  const { socketDirectory: host, port } = postgres;
  await preparePlatformDatabase(
    { host, port, user: 'postgres' },
    { database: name, role: 'chronawflow', password: undefined },
  );
  await postgres.connect('postgres', undefined, 1).query('alter role chronawflow_retention login');
  owner = postgres.connect(name, undefined, 4);
  platform = postgres.connect(name, 'chronawflow', 4);
  retainer = postgres.connect(name, 'chronawflow_retention', 2);
});

/** Removed at the end. */
async function ownDirectory(what: string): Promise<string> {
  const directory = await throwawayDirectory(what);
  directories.push(directory);
  return directory;
}

/** Events of a tenant, sealed; every 50th has personal data. */
async function record(tenant: string, events: number, from = 0): Promise<void> {
  await owner.query(
    `insert into chronawflow.audit_event (id, actor, action, tenant, outcome, details)
     select $1 || n, 'ada', 'test', $1, 'ok', jsonb_build_object('n', n) from generate_series($2::int, $3::int) n where n % 50 <> 0`,
    [tenant, from, from + events - 1],
  );
  for (let n = from; n < from + events; n += 50) {
    const personal = { subject: 'ada@example.org', data: { name: `Ada ${n}` } };
    await recordAuditEvent(owner, {
      id: `${tenant}${n}`,
      actor: 'ada',
      action: 'test',
      tenant,
      outcome: 'ok',
      personal,
    });
  }
  await sealAll();
}

async function sealAll(): Promise<void> {
  while ((await sealBatch(owner, signer)).events > 0);
}

/** While a sealer runs, as it does. */
async function retaining<T>(work: () => Promise<T>): Promise<T> {
  const sealer = new Sealer(owner, signer, { restMs: 20 });
  const running = sealer.run();
  try {
    return await work();
  } finally {
    sealer.stop();
    await running;
    await sealAll();
  }
}

const request = { by: 'grace', reason: 'policy 7', olderThan: 1 };
const retainAll = (wanted: { readonly tenant?: string } = {}): Promise<RetentionReport> =>
  retaining(() => retain({ platform, retainer }, { ...request, ...wanted }));
const verify = () => verifyDatabase(platform, key);
const problems = async () => (await verify()).violations.map(({ problem }) => problem);
const rowsOf = async (tenant: string) => {
  const { rows } = await owner.query(
    `select (select count(*) from chronawflow.audit_event where tenant = $1 and action = 'test')::int as events,
            (select count(*) from chronawflow.audit_place n join chronawflow.audit_log l on l.id = n.log where l.tenant = $1)::int as entries,
            (select count(*) from chronawflow.audit_personal where tenant = $1)::int as personal`,
    [tenant],
  );
  return rows[0];
};

describe('what was sealed long enough ago', () => {
  test('goes in whole bundles with its personal data, and everything verifies as before', async () => {
    await record('acme', 600);
    await record('beta', 100);
    const [early, late] = [await proveEvent(platform, 'acme7'), await proveEvent(platform, 'acme530')];
    const { dropped, held } = await retainAll();
    expect(held).toEqual([]);
    expect(dropped).toMatchObject([
      { tenant: 'acme', minimumIndex: 512, personalBefore: 600, entries: 512, personal: 12 },
      { tenant: 'beta', minimumIndex: 0, entries: 0, personal: 2 },
    ]);
    // 88 that stay, the decision and its end.
    expect(await rowsOf('acme')).toEqual({ events: 88, entries: 90, personal: 0 });
    expect(await rowsOf('beta')).toEqual({ events: 100, entries: 102, personal: 0 });
    const found = await verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([
      { entries: 512, minimumIndex: 512, by: 'grace', reason: 'policy 7' },
    ]);
    for (const receipt of [early, late])
      expect(verifyReceipt(JSON.parse(formatReceipt(receipt)), key)).toMatchObject({ signedBy: [key.name] });
    expect(
      verifyReceipt(JSON.parse(formatReceipt(await proveEvent(platform, 'acme530'))), key),
    ).toMatchObject({
      event: { id: 'acme530' },
    });
    await expect(proveEvent(platform, 'acme7')).rejects.toMatchObject({
      code: 'EVENT_NOT_SEALED',
      message: expect.stringContaining('retention'),
    });
  });

  test('is dropped again later, when more of it is old', async () => {
    await record('acme', 300);
    await retainAll();
    await record('acme', 300, 300);
    const { dropped } = await retainAll();
    expect(dropped).toMatchObject([{ minimumIndex: 512, entries: 256, personal: 6 }]);
    expect((await retainAll()).dropped).toEqual([]);
    const found = await verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 512 }]);
  });

  test('leaves what is younger', async () => {
    await record('acme', 600);
    const { dropped } = await retaining(() =>
      retain({ platform, retainer }, { ...request, olderThan: 3_600_000 }),
    );
    expect(dropped).toEqual([]);
    expect(await rowsOf('acme')).toMatchObject({ events: 600 });
  });

  test('is in an export by its hashes alone, which verifies here and by tools of others', async () => {
    await record('acme', 600);
    await retainAll();
    const directory = await ownDirectory('retained');
    await exportLogs(platform, key, join(directory, 'all'));
    const found = await verifyExport(join(directory, 'all'), key);
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 512 }]);
    const { rows } = await platform.query<{ origin: string }>(
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
    await record('acme', 300);
    await record('beta', 300);
    const hold = await placeHold(platform, 'acme', 'ada@example.org', { by: 'root', reason: 'case 12' });
    await expect(retainAll({ tenant: 'acme' })).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
      message: expect.stringMatching(
        /^Nothing was dropped: legal hold .* a person of tenant acme \(case 12\)/,
      ),
    });
    const { dropped, held } = await retainAll();
    expect(dropped).toMatchObject([{ tenant: 'beta', entries: 256 }]);
    expect(held).toMatchObject([{ tenant: 'acme', hold: { id: hold } }]);
    expect(await rowsOf('acme')).toMatchObject({ events: 300, personal: 6 });
    await liftHold(platform, hold, { by: 'root', reason: 'closed' });
    expect((await retainAll({ tenant: 'acme' })).dropped).toMatchObject([{ entries: 256 }]);
    expect(await problems()).toEqual([]);
  });

  test('invariant 1: before the decision is sealed; the next call ends it', async () => {
    await record('acme', 300);
    await expect(retain({ platform, retainer }, request, 200)).rejects.toMatchObject({
      code: 'EVENT_NOT_SEALED',
      retryable: true,
    });
    expect(await rowsOf('acme')).toMatchObject({ events: 300, personal: 6 });
    // Whoever goes past the program meets the triggers.
    await expect(owner.query(`delete from chronawflow.audit_event where id = 'acme7'`)).rejects.toMatchObject(
      {
        code: '42501',
      },
    );
    expect((await retainAll()).dropped).toMatchObject([{ entries: 256 }]);
    expect(await problems()).toEqual([]);
  });

  test('invariant 2: of a bundle that is not what was sealed', async () => {
    await record('acme', 300);
    await withoutTriggers(
      `update chronawflow.audit_bundle set entries = set_byte(entries, 20, 0) where 'acme7' = any (event_ids)`,
    );
    await expect(retainAll()).rejects.toMatchObject({ code: 'AUDIT_LOG_DAMAGED' });
    expect(await rowsOf('acme')).toMatchObject({ events: 300 });
  });

  test('of a tenant that has no log', async () => {
    await expect(retainAll({ tenant: 'nobody' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('invariant 4: who may', () => {
  const refused = (pool: Pool, sql: string) =>
    expect(pool.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|23001)$/) });

  test('the role that drops cannot decide, and drops nothing that was not decided', async () => {
    await record('acme', 600);
    await refused(
      retainer,
      `insert into chronawflow.audit_retention select id, 256, 256, 'x' from chronawflow.audit_log where tenant = 'acme'`,
    );
    for (const table of ['audit_event', 'audit_bundle', 'audit_personal'])
      await refused(retainer, `delete from chronawflow.${table}`);
    for (const table of ['audit_event', 'audit_checkpoint', 'audit_dropped', 'audit_log', 'legal_hold'])
      await refused(retainer, `truncate chronawflow.${table}`);
    await refused(retainer, `update chronawflow.audit_event set actor = 'eve'`);
    await retainAll();
    // What stays is refused all the same after it.
    for (const table of ['audit_event', 'audit_bundle', 'audit_dropped'])
      await refused(retainer, `delete from chronawflow.${table}`);
    await owner.query('set session_replication_role = replica');
    await refused(owner, 'delete from chronawflow.audit_bundle');
    await owner.query('reset session_replication_role');
    expect(await problems()).toEqual([]);
  });

  test('the running role decides, and drops nothing', async () => {
    await record('acme', 600);
    await expect(retaining(() => retain({ platform, retainer: platform }, request))).rejects.toMatchObject({
      code: '42501',
    });
    expect(await rowsOf('acme')).toMatchObject({ events: 600 });
    await refused(platform, 'delete from chronawflow.audit_retention');
  });

  test('what is younger than audit.retention.keep is not dropped by hand', async () => {
    const config = retentionConfig('30d', '1h');
    const client = new AuditRetentionClient(
      config,
      platform,
      retainer,
      new OperatorSigning(config, platform, undefined),
    );
    await expect(client.retain({ olderThan: 1_000, reason: 'x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect(await client.retain({ reason: 'x' })).toEqual({ dropped: [], held: [] });
  });
});

test('by configuration, workers drop what is older than audit.retention.keep, and nothing else', async () => {
  await record('acme', 300);
  await withoutTriggers(
    'alter table chronawflow.audit_checkpoint disable trigger audit_checkpoint_insert_only',
    `update chronawflow.audit_checkpoint set sealed_at = sealed_at - interval '2 days'`,
    'alter table chronawflow.audit_checkpoint enable always trigger audit_checkpoint_insert_only',
  );
  await record('beta', 300);
  const retention = auditRetention(retentionConfig('1d', '1s'), platform, pino({ level: 'silent' }));
  await retaining(async () => {
    retention.start();
    try {
      await until(async () => (await rowsOf('acme')).events === 44, {
        limitMs: 90_000,
        what: 'acme’s prefix to go',
      });
    } finally {
      await retention.close();
    }
  });
  expect(await rowsOf('beta')).toMatchObject({ events: 300, personal: 6 });
  const found = await verify();
  expect(found.violations).toEqual([]);
  expect(found.dropped).toMatchObject([{ entries: 256, by: 'chronawflow', reason: 'audit.retention.keep' }]);
});

test('where operators sign, it is an administrator’s, with the consent of somebody else', async () => {
  const [root, ada] = ['root', 'ada'].map(() => {
    const { privateKey } = generateKeyPairSync('ed25519');
    return signerOfPem(String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
  });
  if (root === undefined || ada === undefined) throw new Error('no keys');
  const config = {
    ...retentionConfig('30d', false),
    operators: configSchema.shape.operators.parse({ administrators: { root: root.key.text } }),
  };
  const signing = (signer: Signer) => new OperatorSigning(config, platform, signer);
  await new OperatorsClient(platform, signing(root)).add({
    name: 'ada',
    publicKey: ada.key.text,
    grants: [{ role: 'requester' }, { role: 'approver' }],
  });
  await record('acme', 300);
  const wanted = { olderThan: 31 * 86_400_000, reason: 'policy 7' };
  const client = (signer: Signer) => new AuditRetentionClient(config, platform, retainer, signing(signer));
  await withoutTriggers(
    'alter table chronawflow.audit_checkpoint disable trigger audit_checkpoint_insert_only',
    `update chronawflow.audit_checkpoint set sealed_at = sealed_at - interval '40 days'`,
    'alter table chronawflow.audit_checkpoint enable always trigger audit_checkpoint_insert_only',
  );
  const act = (signer: Signer, signed: SignedRequest, other = {}) =>
    retaining(() => client(signer).retain({ ...wanted, ...other, signed }));
  const signed = await client(root).request(wanted);
  await expect(act(root, signed)).rejects.toMatchObject({ code: 'APPROVALS_MISSING' });
  const approved = { ...signed, approvals: [await new FourEyes(signing(ada)).approve(signed)] };
  await expect(act(root, approved, { reason: 'another' })).rejects.toMatchObject({ code: 'INTENT_MISMATCH' });
  const hers = await client(ada).request(wanted);
  await expect(act(ada, hers)).rejects.toMatchObject({ kind: 'refused' });
  expect(await rowsOf('acme')).toMatchObject({ events: 300 });
  expect((await act(root, approved)).dropped).toMatchObject([{ tenant: 'acme', entries: 256 }]);
  expect((await verify()).dropped).toMatchObject([{ by: 'root' }]);
});

function retentionConfig(keep: string, every: string | false): Config {
  return configSchema.parse({
    platform: { database: postgres.connection(name) },
    application: { database: postgres.connection(name), backup: { stanza: 'none', configFile: 'none' } },
    tenancy: { table: 'public.tenants' },
    audit: { retention: { keep, every, database: postgres.connection(name, 'chronawflow_retention') } },
  });
}

async function withoutTriggers(...statements: readonly string[]): Promise<void> {
  const guards = ['audit_event', 'audit_bundle', 'audit_dropped', 'audit_retention'].map(
    (table) => [`alter table chronawflow.${table}`, `trigger ${table}_insert_only`] as const,
  );
  for (const [table, trigger] of guards) await owner.query(`${table} disable ${trigger}`);
  for (const statement of statements) await owner.query(statement);
  for (const [table, trigger] of guards) await owner.query(`${table} enable always ${trigger}`);
}

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
    await owner.query('alter table chronawflow.audit_personal disable trigger audit_personal_only_erase');
    await withoutTriggers(...removePrefix(bundles));
    await owner.query(
      'alter table chronawflow.audit_personal enable always trigger audit_personal_only_erase',
    );
  };

  test('a prefix that went without a decision', async () => {
    await record('acme', 600);
    await removed(1);
    expect(await problems()).toEqual([
      'its first 256 entries are missing, and no retention that is in the log has dropped them',
    ]);
    const directory = await ownDirectory('removed');
    await exportLogs(platform, key, join(directory, 'all'));
    const { violations } = await verifyExport(join(directory, 'all'), key);
    expect(violations.map(({ problem }) => problem)).toEqual(await problems());
  });

  test('more of it than was decided', async () => {
    await record('acme', 300);
    await retainAll();
    await record('acme', 600, 300);
    await owner.query(`delete from chronawflow.audit_dropped where false`);
    await withoutTriggers(`delete from chronawflow.audit_dropped where log = ${OF}`);
    expect((await problems()).join()).toContain('entries/0 has 0 of 256');
  });

  test('a decision that is not sealed, or about another log', async () => {
    await record('acme', 600);
    await removed(2);
    await recordAuditEvent(owner, {
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
    expect(await problems()).toEqual([missing]);
    await sealAll();
    expect(await problems()).toEqual([missing]);
  });

  test('a hash that was kept and is another one', async () => {
    await record('acme', 600);
    await retainAll();
    await withoutTriggers(
      `update chronawflow.audit_dropped set hashes = set_byte(hashes, 40, 0) where get_byte(hashes, 40) <> 0 and index = 0`,
      `update chronawflow.audit_dropped set hashes = set_byte(hashes, 41, get_byte(hashes, 41) # 1) where index = 0`,
    );
    expect((await problems()).join('\n')).toContain('are not those that its checkpoint signs');
  });
});

describe('from the command line', () => {
  let directory: string;
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]);
  });
  beforeEach(async () => {
    directory = await ownDirectory('retain-cli');
    const connection = postgres.connection(name, 'chronawflow');
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
    await record('acme', 6_000);
    // Decided and sealed: while the transaction below runs, nothing more is sealed.
    await expect(retaining(() => retain({ platform, retainer: platform }, request))).rejects.toMatchObject({
      code: '42501',
    });
    await owner.query('grant chronawflow_retention to chronawflow');
    const blocker = await owner.connect();
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
    const halfway = await verify();
    expect(halfway.violations).toEqual([]);
    expect(halfway.dropped).toMatchObject([{ entries: 4_096, minimumIndex: 5_888 }]);
    expect(await rowsOf('acme')).toMatchObject({ events: 6_000 - 4_096 });
    const [code] = await retaining(() => once(start(...RETAIN), 'exit'));
    expect(code).toBe(0);
    const found = await verify();
    expect(found.violations).toEqual([]);
    expect(found.dropped).toMatchObject([{ entries: 5_888 }]);
    expect(await rowsOf('acme')).toMatchObject({ events: 112, personal: 0 });
  });

  /** Whether somebody who drops waits for a lock. */
  async function waits(): Promise<boolean> {
    const { rowCount } = await owner.query(
      `select from pg_stat_activity where application_name = 'chronawflow retention' and wait_event_type = 'Lock' and datname = $1`,
      [name],
    );
    return rowCount === 1;
  }
});
