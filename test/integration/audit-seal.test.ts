import { setImmediate as yieldNow } from 'node:timers/promises';
import type { Pool } from 'pg';
import { recordAuditEvent } from '../../core/audit';
import { readLogs, StoredLog } from '../../core/audit/log';
import { generateSigningKey, parseCheckpoint, parseNote, verifyNote } from '../../core/audit/note';
import { LogSigner, Sealer, SealingWatch, sealBatch, verifierOf } from '../../core/audit/seal';
import { type Violation, verifyLog } from '../../core/audit/verify';
import { Metrics } from '../../core/metrics';
import { applyMigrations, inTransaction } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const ORIGIN = 'example.org/audit';

let postgres: RealPostgres;
let platform: Pool;
let count = 0;
const keys = {
  log: generateSigningKey(ORIGIN, 'ed25519'),
  quantumSafe: generateSigningKey(ORIGIN, 'cosignature-ml-dsa-44'),
};
const signer = new LogSigner(keys);

beforeAll(async () => {
  // An analysis that runs just then would keep events from being sealed.
  postgres = await startPostgres({ settings: { autovacuum: false } });
});
afterAll(() => postgres?.stop());
beforeEach(async () => {
  platform = await postgres.createDatabase(`audit_${++count}`);
  await applyMigrations(platform, 'platform');
});

const event = (id: string, tenant?: string) => ({
  id,
  actor: 'ada',
  action: 'test.event',
  outcome: 'ok',
  ...(tenant === undefined ? {} : { tenant }),
  details: { n: id.length, text: 'ünïcode "quoted"' },
});

async function sealAll(): Promise<number> {
  let events = 0;
  for (;;) {
    const batch = await sealBatch(platform, signer, 100);
    if (batch.events === 0) return events;
    events += batch.events;
  }
}

/** Recomputes every tree from its entries, with the checkpoints of all sizes and the platform's leaves as claims. */
async function verifyAll(): Promise<{
  readonly violations: Violation[];
  readonly sealed: Map<string, string[]>;
}> {
  return inTransaction(
    platform,
    async (tx) => {
      const violations: Violation[] = [];
      const sealed = new Map<string, string[]>();
      const leaves: { origin: string; size: number; root: Buffer }[] = [];
      for (const log of await readLogs(tx)) {
        const { rows } = await tx.query<{ note: string }>(
          'select note from chronawflow.audit_checkpoint where log = $1 order by size',
          [log.id],
        );
        const signed = rows.map(({ note }) => {
          const parsed = parseNote(note);
          const known = [verifierOf(keys.log, log.origin), keys.quantumSafe];
          expect(verifyNote(parsed, known)).toHaveLength(log.kind === 'platform' ? 2 : 1);
          return { ...parseCheckpoint(parsed.text), by: 'its checkpoint' };
        });
        const listed = leaves
          .filter(({ origin }) => origin === log.origin)
          .map((leaf) => ({ ...leaf, by: 'the platform log' }));
        // Every checkpoint of a tenant is a leaf of the platform log, and nothing else is.
        if (log.kind !== 'platform') {
          expect(listed.map(({ size }) => size)).toEqual(signed.map(({ size }) => size));
        }
        const ids: string[] = [];
        violations.push(
          ...(await verifyLog(
            new StoredLog(tx, log),
            [...signed, ...listed].sort((a, b) => a.size - b.size),
            {
              entries: (_, entries) => {
                for (const entry of entries) {
                  if (log.kind === 'platform') leaves.push(parseCheckpoint(entry.toString()));
                  else ids.push(JSON.parse(entry.toString()).id);
                }
              },
            },
          )),
        );
        if (log.kind !== 'platform') sealed.set(log.tenant ?? '', ids);
      }
      return { violations, sealed };
    },
    { isolation: 'repeatable read', readOnly: true },
  );
}

test('each tenant’s events are sealed into its log, and each checkpoint into the platform’s', async () => {
  for (let i = 0; i < 300; i += 1) await recordAuditEvent(platform, event(`a${i}`, 'acme'));
  expect(await sealAll()).toBe(300);
  for (let i = 0; i < 5; i += 1) await recordAuditEvent(platform, event(`b${i}`, 'beta'));
  await recordAuditEvent(platform, event('s1'));
  expect(await sealAll()).toBe(6);
  const { violations, sealed } = await verifyAll();
  expect(violations).toEqual([]);
  expect(sealed.get('acme')).toEqual(Array.from({ length: 300 }, (_, i) => `a${i}`));
  expect(sealed.get('beta')).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
  expect(sealed.get('')).toEqual(['s1']);
  const { rows } = await platform.query<{ origin: string }>('select origin from chronawflow.audit_log');
  expect(rows.filter(({ origin }) => /acme|beta/.test(origin))).toEqual([]);
});

test('an event of a transaction that commits late is sealed after it, once, and leaves no gap', async () => {
  const late = await platform.connect();
  await late.query('begin');
  await recordAuditEvent(late, event('late', 'acme'));
  for (let i = 0; i < 10; i += 1) await recordAuditEvent(platform, event(`e${i}`, 'acme'));
  // Those after it wait as well: they could not come before it any more.
  expect(await sealAll()).toBe(0);
  await late.query('commit');
  late.release();
  expect(await sealAll()).toBe(11);
  await recordAuditEvent(platform, event('next', 'acme'));
  expect(await sealAll()).toBe(1);
  const { violations, sealed } = await verifyAll();
  expect(violations).toEqual([]);
  expect(sealed.get('acme')).toEqual(['late', ...Array.from({ length: 10 }, (_, i) => `e${i}`), 'next']);
});

test('steps of the clock make neither a gap nor a reorder', async () => {
  const at = async (id: string, interval: string) => {
    await platform.query(
      `insert into chronawflow.audit_event (id, actor, action, tenant, outcome, at)
       values ($1, 'ada', 'test.event', 'acme', 'ok', clock_timestamp() + $2::interval)`,
      [id, interval],
    );
  };
  await at('now', '0');
  expect(await sealAll()).toBe(1);
  await at('back', '-1 hour');
  await at('ahead', '1 hour');
  await at('back again', '-2 hours');
  expect(await sealAll()).toBe(3);
  await at('on', '0');
  expect(await sealAll()).toBe(1);
  const { violations, sealed } = await verifyAll();
  expect(violations).toEqual([]);
  expect(sealed.get('acme')).toEqual(['now', 'back', 'ahead', 'back again', 'on']);
});

test('an event that was rolled back is in no log', async () => {
  await inTransaction(platform, async (tx) => {
    await recordAuditEvent(tx, event('gone', 'acme'));
    throw new Error('rolled back');
  }).catch(() => undefined);
  await recordAuditEvent(platform, event('kept', 'acme'));
  await sealAll();
  expect((await verifyAll()).sealed.get('acme')).toEqual(['kept']);
});

test('events that other programs wrote never stop the sealer', async () => {
  await platform.query(
    `insert into chronawflow.audit_event (id, actor, action, outcome, details)
     select 'raw' || n, 'other', 'raw', 'ok', d::jsonb from unnest($1::text[]) with ordinality u (d, n)`,
    [
      [
        '{"n": 9007199254740993}',
        '{"n": 1e400}',
        '{"n": 1.10}',
        JSON.stringify({ long: 'x'.repeat(70_000) }),
        '"no object"',
      ],
    ],
  );
  await platform.query(
    `insert into chronawflow.audit_event (id, actor, action, outcome) values ('long', repeat('y', 70000), 'raw', 'ok')`,
  );
  expect(await sealAll()).toBe(6);
  expect((await verifyAll()).violations).toEqual([]);
});

test.each(['audit_event', 'audit_bundle', 'audit_subtree', 'audit_checkpoint'])(
  '%s refuses to be changed, also by a superuser',
  async (table) => {
    for (let i = 0; i < 256; i += 1) await recordAuditEvent(platform, event(`a${i}`, 'acme'));
    await sealAll();
    for (const statement of [`delete from`, 'truncate'])
      await expect(platform.query(`${statement} chronawflow.${table}`)).rejects.toMatchObject({
        code: '42501',
      });
    await platform.query('set session_replication_role = replica');
    await expect(platform.query(`delete from chronawflow.${table}`)).rejects.toMatchObject({ code: '42501' });
    await platform.query('reset session_replication_role');
  },
);

test('writers at random, sealers at once and their connections cut: every committed event once, no fork', async () => {
  const committed = new Set<string>();
  const pools = [
    postgres.connect(`audit_${count}`, undefined, 4),
    postgres.connect(`audit_${count}`, undefined, 4),
  ];
  let failures = 0;
  const sealers = pools.map(
    (pool) =>
      new Sealer(pool, signer, {
        restMs: 5,
        standByMs: 5,
        onError: () => {
          failures += 1;
        },
      }),
  );
  const running = sealers.map((sealer) => sealer.run());
  const writers = postgres.connect(`audit_${count}`, undefined, 40);
  let done = false;
  const cutting = (async () => {
    // Until one has met a sealer at work, however slow the machine is.
    while (!done || failures === 0) {
      await platform.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()
            and (query ilike '%audit_bundle%' or query ilike '%audit_seal%' or query ilike '%advisory_lock%')
          order by random() limit 1`,
      );
      for (let i = 0; i < 20; i += 1) await yieldNow();
    }
  })();
  await Promise.all(
    Array.from({ length: 100 }, async (_, w) => {
      for (let i = 0; i < 5; i += 1) {
        const id = `w${w}.${i}`;
        const kept = (w + i) % 3 !== 0;
        await inTransaction(writers, async (tx) => {
          await recordAuditEvent(tx, event(id, `t${w % 7}`));
          if (i % 2 === 0) await tx.query('select pg_sleep(random() * 0.02)');
          if (!kept) throw new Error('rolled back');
        }).then(
          () => committed.add(id),
          () => undefined,
        );
      }
    }),
  );
  done = true;
  await cutting;
  await until(
    async () => {
      const { rows } = await platform.query<{ n: string }>(
        'select count(*) as n from chronawflow.audit_place',
      );
      return Number(rows[0]?.n) === committed.size;
    },
    { limitMs: 60_000, what: 'all events sealed' },
  );
  for (const sealer of sealers) sealer.stop();
  await Promise.all(running);
  expect(failures).toBeGreaterThan(0);
  const { violations, sealed } = await verifyAll();
  expect(violations).toEqual([]);
  const ids = [...sealed.values()].flat();
  expect(ids).toHaveLength(committed.size);
  expect(new Set(ids)).toEqual(committed);
});

test('a sealer whose connection ends at any of its statements leaves nothing of the batch, and the next one seals it once', async () => {
  let statements = 0;
  for (let dies = 1; ; dies += 1) {
    for (const tenant of ['acme', 'beta', undefined])
      await recordAuditEvent(platform, event(`step${dies}/${tenant ?? 'none'}`, tenant));
    const pool = postgres.connect(`audit_${count}`, undefined, 1);
    pool.on('acquire', (client) => {
      const query = client.query;
      const dying = async (...args: unknown[]) => {
        statements += 1;
        if (statements === dies) {
          const { rows } = await Reflect.apply(query, client, ['select pg_backend_pid() as pid']);
          await platform.query('select pg_terminate_backend($1)', [rows[0].pid]);
        }
        return Reflect.apply(query, client, args);
      };
      Object.assign(client, { query: dying });
    });
    statements = 0;
    const sealed = await sealBatch(pool, signer).catch(() => undefined);
    await pool.end();
    if (sealed !== undefined) break;
    expect((await verifyAll()).violations).toEqual([]);
  }
  expect(statements).toBeGreaterThan(8);
  await sealAll();
  const { violations, sealed } = await verifyAll();
  expect(violations).toEqual([]);
  const { rows } = await platform.query<{ id: string }>('select id from chronawflow.audit_event order by id');
  expect([...sealed.values()].flat().sort()).toEqual(rows.map(({ id }) => id).sort());
});

test('another origin than the one that the database holds is refused', async () => {
  await recordAuditEvent(platform, event('a', 'acme'));
  await sealAll();
  await recordAuditEvent(platform, event('b', 'acme'));
  const other = new LogSigner({ log: generateSigningKey('example.org/other', 'ed25519') });
  await expect(sealBatch(platform, other)).rejects.toMatchObject({ code: 'AUDIT_ORIGIN_CHANGED' });
  expect(await sealAll()).toBe(1);
});

test('what is not sealed is a metric: how much, and for how long, also when the database has gone', async () => {
  const metrics = new Metrics();
  const watch = new SealingWatch(platform, { everyMs: 50, metrics });
  const shown = async (name: string) =>
    Number(
      new RegExp(`^chronawflow_audit_unsealed_${name} (.+)$`, 'm').exec(
        await metrics.registry.metrics(),
      )?.[1],
    );
  watch.start();
  await inTransaction(platform, (tx) => recordAuditEvent(tx, event('waits')));
  await recordAuditEvent(platform, event('waits-too'));
  await until(async () => (await shown('events')) === 2, { what: 'both to be counted' });
  const first = await shown('seconds');
  await until(async () => (await shown('seconds')) > first, { what: 'the oldest to grow older' });
  await sealAll();
  await until(async () => (await shown('events')) === 0 && (await shown('seconds')) === 0, {
    what: 'both to be sealed',
  });
  await recordAuditEvent(platform, event('late'));
  await until(async () => (await shown('events')) === 1, { what: 'the third to be counted' });
  await watch.close();
});
