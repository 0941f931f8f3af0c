import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { recordAuditEvent } from '../../core/audit';
import { readLogs, StoredLog } from '../../core/audit/log';
import {
  bytesOf,
  consistencyPath,
  Frontier,
  leafDigest,
  rootOfSubtrees,
  type Subtree,
  subtreesOf,
} from '../../core/audit/merkle';
import {
  formatVerifierKey,
  generateSigningKey,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  verifyNote,
} from '../../core/audit/note';
import { formatReceipt, proveEvent, verifyReceipt } from '../../core/audit/receipt';
import { LogSigner, sealBatch } from '../../core/audit/seal';
import { verifyDatabase } from '../../core/audit/verify';
import {
  askWitness,
  CosignatureCollector,
  serveWitness,
  Witness,
  WitnessState,
} from '../../core/audit/witness';
import { formatWitnessRequest, parseWitnessRequest } from '../../core/audit/witness/request.pure';
import { applyMigrations, inTransaction, quoteIdentifier } from '../../database';
import { CleanUp } from '../support/clean-up';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { until } from '../support/until';

const ORIGIN = 'example.org/audit';
const key = generateSigningKey(ORIGIN, 'ed25519');
const signer = new LogSigner({ log: key });
const witnessKeys = [
  generateSigningKey('witness.example', 'cosignature-ed25519'),
  generateSigningKey('witness.example', 'cosignature-ml-dsa-44'),
];
const known = witnessKeys.map((one) => parseVerifierKey(formatVerifierKey(one)));

let directory: string;
let states = 0;
const cleanUp = new CleanUp();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'chronawflow-witness-'));
  cleanUp.add(() => rm(directory, { recursive: true, force: true }));
});
afterAll(() => cleanUp.run());

const stateFile = () => join(directory, `state-${++states}.json`);
const witnessOf = async (file: string) => new Witness(witnessKeys, [key], await WitnessState.open(file));

/** A log in memory that can be forked. */
class Grown {
  private readonly nodes = new Map<string, Buffer>();
  private frontier = Frontier.empty;

  constructor(private readonly name = 'honest') {}

  get size(): number {
    return this.frontier.size;
  }

  grow(count: number): void {
    const leaves = Array.from({ length: count }, (_, i) =>
      leafDigest(Buffer.from(`${this.name} ${this.size + i}`)),
    );
    for (const [i, leaf] of leaves.entries()) this.nodes.set(`0/${this.size + i}`, bytesOf(leaf));
    this.frontier = this.frontier.append(leaves, (level, index, digest) =>
      this.nodes.set(`${level}/${index}`, bytesOf(digest)),
    );
  }

  checkpoint(): Promise<string> {
    return signer.sign({ origin: ORIGIN, size: this.size, root: this.frontier.root }, new Date());
  }

  proof(from: number): Buffer[] {
    const hashOf = ({ level, index }: Subtree) => this.nodes.get(`${level}/${index}`) ?? Buffer.alloc(32);
    return consistencyPath(from, this.size).map((range) => rootOfSubtrees(subtreesOf(range).map(hashOf)));
  }

  async request(from: number): Promise<string> {
    const proof = from <= this.size ? this.proof(from) : [];
    return formatWitnessRequest({ oldSize: from, proof, checkpoint: await this.checkpoint() });
  }
}

describe('the witness', () => {
  test('cosigns with both keys what has only grown, and is asked with the size that it has seen', async () => {
    const witness = await witnessOf(stateFile());
    const log = new Grown();
    for (const count of [0, 1, 4, 300]) {
      const before = log.size;
      log.grow(count);
      const answer = await witness.addCheckpoint(await log.request(before));
      expect(answer.status).toBe(200);
      const note = parseNote(await log.checkpoint());
      const signatures = parseSignatureLines(answer.body);
      expect(verifyNote({ ...note, signatures }, known)).toHaveLength(2);
    }
    log.grow(1);
    const unknowing = await witness.addCheckpoint(await log.request(0));
    expect(unknowing).toEqual({ status: 409, contentType: 'text/x.tlog.size', body: '305\n' });
    expect((await witness.addCheckpoint(await log.request(305))).status).toBe(200);
    // The same again: cosigned again.
    expect((await witness.addCheckpoint(await log.request(306))).status).toBe(200);
  });

  test('never cosigns two trees of which neither is a prefix of the other, whatever it is asked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ forked: fc.boolean(), grow: fc.nat(5), lie: fc.boolean() }), { maxLength: 12 }),
        async (steps) => {
          const witness = await witnessOf(stateFile());
          const logs = [new Grown('a'), new Grown('b')] as const;
          let seen = 0;
          let cosigned: number | undefined;
          for (const { forked, grow, lie } of steps) {
            const which = forked ? 1 : 0;
            logs[which].grow(grow);
            const { status } = await witness.addCheckpoint(await logs[which].request(lie ? 0 : seen));
            if (status !== 200) continue;
            // Empty trees are all the same.
            if (logs[which].size > 0) {
              expect(cosigned ?? which).toBe(which);
              cosigned = which;
            }
            expect(logs[which].size).toBeGreaterThanOrEqual(seen);
            seen = logs[which].size;
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test.each<readonly [string, number, (log: Grown) => Promise<string>]>([
    ['another log', 404, async (log) => (await log.request(3)).replace(ORIGIN, 'example.org/other')],
    ['a bad signature', 403, async (log) => (await log.request(3)).replace('\n5\n', '\n6\n')],
    [
      'a proof that does not hold',
      422,
      async (log) => {
        const request = parseWitnessRequest(await log.request(3));
        return formatWitnessRequest({ ...request, proof: request.proof.map(() => Buffer.alloc(32)) });
      },
    ],
    [
      'a proof that is left out',
      422,
      async (log) => formatWitnessRequest({ ...parseWitnessRequest(await log.request(3)), proof: [] }),
    ],
    ['an old size above the new one', 400, async (log) => log.request(9)],
    ['another old size', 409, async (log) => log.request(2)],
    ['no request', 400, async () => 'hello'],
    ['no checkpoint', 400, async () => 'old 3\n\nhello'],
    [
      'too many hashes',
      400,
      async (log) =>
        (await log.request(3)).replace(
          'old 3\n',
          `old 3\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}`,
        ),
    ],
    ['a size with a leading zero', 400, async (log) => (await log.request(3)).replace('old 3', 'old 03')],
  ])('answers %s with %i', async (_, status, request) => {
    const witness = await witnessOf(stateFile());
    const log = new Grown();
    log.grow(3);
    expect((await witness.addCheckpoint(await log.request(0))).status).toBe(200);
    log.grow(2);
    expect((await witness.addCheckpoint(await request(log))).status).toBe(status);
    // Nothing of it was remembered.
    expect((await witness.addCheckpoint(await log.request(3))).status).toBe(200);
  });

  test('remembers over a restart, and begins with no file that is broken', async () => {
    const file = stateFile();
    const log = new Grown();
    log.grow(7);
    await (await witnessOf(file)).addCheckpoint(await log.request(0));
    const forked = new Grown('forked');
    forked.grow(7);
    expect((await (await witnessOf(file)).addCheckpoint(await forked.request(7))).status).toBe(409);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -10));
    await expect(WitnessState.open(file)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('requests at once are decided one after the other', async () => {
    const witness = await witnessOf(stateFile());
    const log = new Grown();
    log.grow(1);
    const small = await log.request(0);
    log.grow(5);
    const large = await log.request(0);
    const answers = await Promise.all([small, large, small, large].map((one) => witness.addCheckpoint(one)));
    expect(answers.map(({ status }) => status)).toEqual([200, 409, 409, 409]);
  });
});

describe('the sealer’s witnesses', () => {
  let postgres: RealPostgres;
  let platform: Pool;
  let control: Pool;

  beforeAll(async () => {
    postgres = await startPostgres();
    cleanUp.add(() => postgres.stop());
    control = postgres.connect('postgres', undefined, 1);
    platform = await postgres.createDatabase('platform');
    await applyMigrations(platform, 'platform');
  });

  async function record(pool: Pool, from: number, to: number): Promise<void> {
    for (let i = from; i < to; i += 1)
      await recordAuditEvent(pool, {
        id: `e${i}`,
        actor: 'ada',
        action: 'test',
        tenant: `t${i % 3}`,
        outcome: 'ok',
      });
    await sealBatch(pool, signer);
  }

  async function serve(): Promise<string> {
    const server = await serveWitness(await witnessOf(stateFile()), {
      port: 0,
      host: '127.0.0.1',
      onError: (error) => {
        throw error;
      },
    });
    cleanUp.add(() => server.close());
    return `http://127.0.0.1:${server.port}`;
  }

  test('cosignatures are collected, verified, in receipts, and a database that was set back is refused', async () => {
    const [first] = known;
    if (first === undefined) throw new Error('there are two keys');
    const witness = { url: await serve(), key: first };
    await record(platform, 0, 20);
    await platform.end();
    await control.query(`create database ${quoteIdentifier('yesterday')} template platform`);
    platform = postgres.connect('platform', undefined, 4);
    await record(platform, 20, 300);

    const errors: unknown[] = [];
    const collector = new CosignatureCollector(platform, [witness], {
      everyMs: 20,
      onError: (_, error) => errors.push(error),
    });
    const running = collector.run();
    const cosignedAll = async () => {
      const { cosigned, checkpoint } = await verifyDatabase(platform, key, { witnesses: [first] });
      return cosigned[0]?.size === Number(checkpoint?.split('\n')[1]);
    };
    await until(cosignedAll, { what: 'the newest checkpoint cosigned' });
    await record(platform, 300, 310);
    await until(cosignedAll, { what: 'the next one cosigned' });
    collector.stop();
    await running;
    expect(errors).toEqual([]);
    expect((await verifyDatabase(platform, key, { witnesses: [first] })).violations).toEqual([]);
    expect(
      verifyReceipt(JSON.parse(formatReceipt(await proveEvent(platform, 'e5'))), key, [first]).signedBy,
    ).toEqual([ORIGIN, 'witness.example']);

    // Restored to yesterday it looks perfect, and the witness is not deceived, however it goes on.
    const yesterday = postgres.connect('yesterday', undefined, 2);
    expect((await verifyDatabase(yesterday, key)).violations).toEqual([]);
    const ask = () =>
      inTransaction(
        yesterday,
        async (tx) => {
          const [log] = await readLogs(tx);
          if (log === undefined) throw new Error('there is a log');
          return askWitness(new StoredLog(tx, log), witness);
        },
        { isolation: 'repeatable read', readOnly: true },
      );
    await expect(ask()).rejects.toMatchObject({ code: 'WITNESS_REFUSED', retryable: false });
    await expect(ask()).rejects.toThrow(/the log was set back/);
    await record(yesterday, 500, 900);
    await record(yesterday, 900, 901);
    for (let i = 0; i < 4; i += 1) await record(yesterday, 1000 + i, 1001 + i);
    await expect(ask()).rejects.toMatchObject({ code: 'WITNESS_REFUSED', retryable: false });
  });

  test('a witness that is away is asked again, and an answer by another key is none', async () => {
    const [first] = known;
    if (first === undefined) throw new Error('there are two keys');
    const url = await serve();
    const other = parseVerifierKey(
      formatVerifierKey(generateSigningKey('witness.example', 'cosignature-ed25519')),
    );
    const logNow = (work: (log: StoredLog) => Promise<unknown>) =>
      inTransaction(
        platform,
        async (tx) => {
          const [log] = await readLogs(tx);
          if (log === undefined) throw new Error('there is a log');
          return work(new StoredLog(tx, log));
        },
        { isolation: 'repeatable read', readOnly: true },
      );
    await expect(
      logNow((log) => askWitness(log, { url: 'http://127.0.0.1:9', key: first })),
    ).rejects.toMatchObject({
      code: 'WITNESS_REFUSED',
      retryable: true,
    });
    await expect(logNow((log) => askWitness(log, { url, key: other }))).rejects.toThrow(
      'no signature of its key',
    );
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${url}/add-checkpoint`, { method: 'POST', body: 'x'.repeat(600_000) })).status).toBe(
      413,
    );
  });
});
