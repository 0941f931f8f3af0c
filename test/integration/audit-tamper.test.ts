import type { Pool } from 'pg';
import { formatReceipt, proveEvent, recordAuditEvent, verifyReceipt } from '../../core/audit';
import { formatCheckpoint, generateSigningKey, parseCheckpoint, parseNote } from '../../core/audit/note';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { type AuditVerification, verifyDatabase } from '../../core/audit/verify';
import { applyMigrations, quoteIdentifier } from '../../database';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const key = generateSigningKey('example.org/audit', 'ed25519');
const signer = new LogSigner({ log: key });
const EVENTS = 600;

let postgres: RealPostgres;
let control: Pool;
let platform: Pool;
/** A checkpoint of half the log, as somebody kept it. */
let earlier: string;
let copies = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  control = postgres.connect('postgres', undefined, 1);
  const base = await postgres.createDatabase('base');
  await applyMigrations(base, 'platform');
  for (const half of [0, 1]) {
    for (let i = half; i < EVENTS; i += 2) {
      const tenant = i % 3 === 0 ? 'beta' : 'acme';
      await recordAuditEvent(base, { id: `e${i}`, actor: 'ada', action: 'test', tenant, outcome: 'ok' });
    }
    while ((await sealBatch(base, signer, 150)).events > 0);
    if (half === 0) earlier = (await verifyDatabase(base, key)).checkpoint ?? '';
  }
  await base.end();
  // No database is copied while somebody is in it, and the server's side of a connection ends a moment later.
  await until(
    async () => (await control.query(`select from pg_stat_activity where datname = 'base'`)).rowCount === 0,
    { what: 'the last session to leave' },
  );
}, 240_000);
afterAll(() => postgres?.stop());

beforeEach(async () => {
  const name = `tampered_${++copies}`;
  await control.query(`create database ${quoteIdentifier(name)} template base`);
  platform = postgres.connect(name, undefined, 2);
});

/** What the owner of the database can do: the triggers are out of the way while it is done, and back after it. */
async function tamper(...statements: readonly string[]): Promise<void> {
  const tables = ['audit_event', 'audit_bundle', 'audit_subtree', 'audit_checkpoint'];
  const all = (what: string) =>
    tables.flatMap((table) =>
      ['insert_only', 'no_truncate'].map(
        (kind) => `alter table chronawflow.${table} ${what} trigger ${table}_${kind}`,
      ),
    );
  for (const statement of [...all('disable'), ...statements, ...all('enable always')])
    await platform.query(statement);
}

const problemsOf = ({ violations }: AuditVerification) => violations.map(({ problem }) => problem).join('\n');
const verify = (options = {}) => verifyDatabase(platform, key, options);

test('an honest log has no violation, also against an earlier checkpoint', async () => {
  const progress: number[] = [];
  const found = await verify({
    earlier: [earlier],
    progress: ({ done }: { readonly done: number }) => progress.push(done),
  });
  expect(found).toMatchObject({ logs: 3, entries: EVENTS, violations: [], unsealed: { events: 0 } });
  expect(progress.length).toBeGreaterThan(3);
  expect(await verify({ tenant: 'beta' })).toMatchObject({ entries: EVENTS / 3, violations: [] });
});

test('only what was sealed since then is read, and what was before is held against its hashes', async () => {
  const { rows } = await platform.query<{ at: string }>(
    `select c.sealed_at::text as at from chronawflow.audit_checkpoint c join chronawflow.audit_log l on l.id = c.log
      where l.tenant = 'acme' and c.size > 300 order by c.size limit 1`,
  );
  const since = rows[0]?.at;
  const found = await verify({ since, earlier: [earlier] });
  expect(found.violations).toEqual([]);
  // The first bundle of 256 is passed over.
  expect(found.entries).toBe(EVENTS - 256);
  await tamper(`update chronawflow.audit_event set actor = 'eve' where id in ('e1', 'e599')`);
  expect(problemsOf(await verify({ since }))).toBe('event e599 was changed: actor was "ada", is "eve"');
  await tamper(
    `update chronawflow.audit_subtree set hash = decode(repeat('00', 32), 'hex') where log = ${OF}`,
  );
  expect(problemsOf(await verify({ since }))).toContain('are not those that its checkpoint signs');
});

test('events that are not sealed yet are told, not proved', async () => {
  await recordAuditEvent(platform, { id: 'new', actor: 'ada', action: 'test', outcome: 'ok' });
  const { unsealed, violations } = await verify();
  expect(violations).toEqual([]);
  expect(unsealed.events).toBe(1);
  expect(Date.parse(unsealed.oldestAt ?? '')).not.toBeNaN();
});

const OF = `(select id from chronawflow.audit_log where tenant = 'acme')`;
/** The IDs of the events that were sealed together with it. */
const BESIDE_E7 = `select unnest(event_ids) from chronawflow.audit_bundle where 'e7' = any (event_ids)`;
/** A bundle's entries with another text of the same length. */
const replaced = (text: string, by: string) =>
  `decode(replace(encode(entries, 'hex'), '${Buffer.from(text).toString('hex')}', '${Buffer.from(by).toString('hex')}'), 'hex')`;
const PLATFORM = `(select id from chronawflow.audit_log where kind = 'platform')`;

describe('every tampering with the database is found, and what it was is said', () => {
  const TAMPERINGS = [
    {
      name: 'an event changed',
      message: /^event e7 was changed: actor was "ada", is "eve"$/m,
      statements: [`update chronawflow.audit_event set actor = 'eve' where id = 'e7'`],
    },
    {
      name: 'an event and its sealed bytes changed',
      message: /entries are not those that its checkpoint signs/,
      statements: [
        `update chronawflow.audit_event set actor = 'eve' where id in (${BESIDE_E7})`,
        `update chronawflow.audit_bundle set entries = ${replaced('"ada"', '"eve"')} where 'e7' = any (event_ids)`,
      ],
    },
    {
      name: 'the time of an event changed',
      message: /^event e7 was changed: at was /m,
      statements: [`update chronawflow.audit_event set at = at - interval '1 hour' where id = 'e7'`],
    },
    {
      name: 'an event deleted',
      message: /^event e7 is gone; it was .*"action":"test".*"id":"e7"/m,
      statements: [`delete from chronawflow.audit_event where id = 'e7'`],
    },
    {
      name: 'sealed entries deleted',
      message: /entries\/0 has \d+ of 256/,
      statements: [`delete from chronawflow.audit_bundle where 'e7' = any (event_ids)`],
    },
    {
      name: 'one entry cut out of those that were sealed with it',
      message: /entries\/0 has 255 of 256/,
      statements: [
        // The first one, with its event's ID: a length in two bytes, and as many.
        `update chronawflow.audit_bundle
            set entries = substring(entries from 3 + 256 * get_byte(entries, 0) + get_byte(entries, 1)), count = count - 1, event_ids = event_ids[2:]
          where log = ${OF} and first = 0`,
      ],
    },
    {
      name: 'the end of an entry cut off',
      message: /entries\/0 has 0 of 256/,
      statements: [
        `update chronawflow.audit_bundle set entries = substring(entries for octet_length(entries) - 1) where log = ${OF}`,
      ],
    },
    {
      name: 'an entry’s event exchanged for another',
      message: /^event e9 was changed: .*id was "e7", is "e9"/m,
      statements: [
        `update chronawflow.audit_bundle set event_ids = array_replace(event_ids, 'e7', 'e9') where log = ${OF}`,
      ],
    },
    {
      name: 'entries said to stand elsewhere',
      message: /entry 0 is stored as entry 1/,
      statements: [`update chronawflow.audit_bundle set first = first + 1 where log = ${OF} and first = 0`],
    },
    {
      name: 'a checkpoint’s place in the platform log changed',
      message: /^checkpoint \d+ is its leaf \d+, and is said to be leaf 5000$/m,
      statements: [`update chronawflow.audit_checkpoint set leaf = 5000 where log = ${OF}`],
    },
    {
      name: 'a whole tail deleted, tree set back',
      message: /is no checkpoint that is stored/,
      statements: [
        `update chronawflow.audit_log set size = (select min(size) from chronawflow.audit_checkpoint where log = ${OF}) where id = ${OF}`,
        `delete from chronawflow.audit_bundle b using chronawflow.audit_log l where l.id = ${OF} and b.log = l.id and b.first >= l.size`,
        `delete from chronawflow.audit_checkpoint c using chronawflow.audit_log l where l.id = ${OF} and c.log = l.id and c.size > l.size`,
      ],
    },
    {
      name: 'two entries exchanged',
      message: /entries are not those that its checkpoint signs/,
      statements: [
        // All of these entries have one length, but for the last figures of their IDs.
        `update chronawflow.audit_bundle
            set entries = ${replaced('"id":"e2"', '"id":"eX"')}, event_ids = array_replace(event_ids, 'e2', 'eX') where log = ${OF} and first = 0`,
        `update chronawflow.audit_bundle
            set entries = ${replaced('"id":"e4"', '"id":"e2"')}, event_ids = array_replace(event_ids, 'e4', 'e2') where log = ${OF} and first = 0`,
        `update chronawflow.audit_bundle
            set entries = ${replaced('"id":"eX"', '"id":"e4"')}, event_ids = array_replace(event_ids, 'eX', 'e4') where log = ${OF} and first = 0`,
      ],
    },
    {
      name: 'an event put in among those that were sealed',
      message: /^event forged \(eve, test\) stands among those that were sealed and is in no log$/m,
      statements: [
        `insert into chronawflow.audit_event (id, at, xid, actor, action, outcome)
       select 'forged', at, xid, 'eve', 'test', 'ok' from chronawflow.audit_event where id = 'e9'`,
      ],
    },
    {
      name: 'a checkpoint changed',
      message: /its checkpoint \d+: .* is bad/,
      statements: [
        `update chronawflow.audit_checkpoint set note = regexp_replace(note, E'\\n([0-9]+)\\n', E'\\n1\\n') where log = ${OF}`,
      ],
    },
    {
      name: 'a checkpoint deleted',
      message: /checkpoints are stored, \d+ are in the platform log|is no checkpoint that is stored/,
      statements: [
        `delete from chronawflow.audit_checkpoint where log = ${OF} and size = (select min(size) from chronawflow.audit_checkpoint where log = ${OF})`,
      ],
    },
    {
      name: 'the last checkpoint deleted',
      message: /its checkpoint \d+ is missing/,
      statements: [
        `delete from chronawflow.audit_checkpoint where log = ${PLATFORM} and size = (select max(size) from chronawflow.audit_checkpoint where log = ${PLATFORM})`,
      ],
    },
    {
      name: 'a hash above the leaves changed',
      message: /^entries 0 to 255 are not what the hash in tile 1 was made of$/m,
      statements: [
        `update chronawflow.audit_subtree set hash = decode(repeat('00', 32), 'hex') where log = ${OF}`,
      ],
    },
    {
      name: 'a leaf of the platform log changed',
      message: /its leaf 0, .* is no checkpoint that is stored/,
      statements: [
        `update chronawflow.audit_bundle set entries = set_byte(entries, 9, 0) where log = ${PLATFORM} and first = 0`,
      ],
    },
  ];

  test.each(TAMPERINGS)('$name', async ({ message, statements }) => {
    await tamper(...statements);
    expect(problemsOf(await verify())).toMatch(message);
  });

  test('an event that is gone is proved by its receipt all the same', async () => {
    await tamper(`delete from chronawflow.audit_event where id = 'e7'`);
    const receipt: unknown = JSON.parse(formatReceipt(await proveEvent(platform, 'e7')));
    expect(verifyReceipt(receipt, key)).toMatchObject({ event: { id: 'e7', actor: 'ada' } });
  });

  test('a trigger that is disabled, or another in its place', async () => {
    await platform.query('alter table chronawflow.audit_event disable trigger audit_event_insert_only');
    expect(problemsOf(await verify())).toBe(
      'trigger audit_event_insert_only on audit_event is missing, disabled or another one',
    );
    await platform.query('alter table chronawflow.audit_event enable trigger audit_event_insert_only');
    expect(problemsOf(await verify())).toContain('disabled or another one');
    await platform.query(
      'create or replace function chronawflow.refuse_change() returns trigger language plpgsql as $$ begin return null; end $$',
    );
    // Two of each table, of the log and of what operators have signed, but for the entries, whose rows have a guard of their own.
    expect((await verify()).violations).toHaveLength(17);
  });

  test('a right that was granted', async () => {
    await platform.query('create role clerk');
    await platform.query('grant update (actor), delete on chronawflow.audit_event to clerk');
    expect(problemsOf(await verify())).toBe(
      'clerk may DELETE on audit_event\nclerk may UPDATE (actor) on audit_event',
    );
    await platform.query('grant truncate on chronawflow.audit_bundle to public');
    expect(problemsOf(await verify())).toContain('public may TRUNCATE on audit_bundle');
    await platform.query('drop owned by clerk');
    await platform.query('drop role clerk');
  });

  test('the whole log written anew and signed with another key', async () => {
    const other = generateSigningKey('example.org/audit', 'ed25519');
    expect(problemsOf(await verifyDatabase(platform, other))).toMatch(/no known key has signed it/);
  });

  test('a log that was set back: by the checkpoint that somebody kept', async () => {
    const { checkpoint = '' } = await verify();
    const name = `rolled_back_${copies}`;
    await control.query(`create database ${quoteIdentifier(name)}`);
    const fresh = postgres.connect(name, undefined, 1);
    await applyMigrations(fresh, 'platform');
    await recordAuditEvent(fresh, { id: 'a', actor: 'eve', action: 'test', tenant: 'acme', outcome: 'ok' });
    await sealBatch(fresh, signer);
    expect((await verifyDatabase(fresh, key)).violations).toEqual([]);
    const { size } = parseCheckpoint(parseNote(checkpoint).text);
    expect(problemsOf(await verifyDatabase(fresh, key, { earlier: [checkpoint] }))).toBe(
      `the checkpoint that you kept signs ${size} entries, of which 1 are here`,
    );
  });

  test('a log that was forked: the same size with other entries', async () => {
    const { checkpoint = '' } = await verify();
    const honest = parseCheckpoint(parseNote(checkpoint).text);
    const forked = await signer.sign({ ...honest, root: Buffer.alloc(32, 1) }, new Date());
    expect(forked.startsWith(formatCheckpoint({ ...honest, root: Buffer.alloc(32, 1) }))).toBe(true);
    expect(problemsOf(await verify({ earlier: [forked] }))).toBe(
      `the first ${honest.size} entries are not those that the checkpoint that you kept signs`,
    );
  });
});
