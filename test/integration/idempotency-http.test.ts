import { once as happened } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import {
  IdempotencyManager,
  idempotencyHooks,
  idempotencyMiddleware,
  jsonResponse,
} from '../../core/idempotency';
import { inTransaction } from '../../database';
import { asking, type IdempotentInvoices, startIdempotentInvoices } from '../support/idempotent-invoices';
import { idempotentServer } from '../support/idempotent-server';
import { until } from '../support/until';

let invoices: IdempotentInvoices;
let close: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  invoices = await startIdempotentInvoices();
});
afterAll(() => invoices?.stop());
beforeEach(() => invoices.empty());
afterEach(async () => {
  for (const one of close) await one();
  close = [];
});

async function listening(app: FastifyInstance) {
  close.push(() => app.close());
  return asking(await app.listen({ port: 0, host: '127.0.0.1' }));
}

async function serving(server: Server) {
  server.listen(0, '127.0.0.1');
  await happened(server, 'listening');
  close.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return asking(`http://127.0.0.1:${port}`);
}

/** Until the first request with this key is the one that is carried out. */
const begun = (key: string) =>
  until(
    async () =>
      (await invoices.pool.query('select from chronawflow.idempotency where key = $1', [key])).rowCount === 1,
    { what: 'the request to begin' },
  );
const insert = (tx: Pick<Pool, 'query'>) => tx.query(`insert into invoice (tenant) values ('a')`);

test('Fastify: a request is carried out once, and its response is given again as it was', async () => {
  const ask = await listening(idempotentServer(invoices.pool).app);
  const first = await ask('/invoices/quick', { key: '"k1"' });
  expect(first.status).toBe(201);
  const body = await first.text();
  const again = await ask('/invoices/quick', { key: '"k1"' });
  expect([again.status, await again.text()]).toEqual([201, body]);
  expect(again.headers.get('location')).toBe(first.headers.get('location'));
  expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(again.headers.get('idempotency-replayed')).toBe('true');
  expect(await invoices.count()).toBe(1);
  // Another key, another path and another tenant are other requests.
  await ask('/invoices/quick', { key: '"k2"' });
  await ask('/invoices/other', { key: '"k1"' });
  await ask('/invoices/quick', { key: '"k1"', tenant: 'b' });
  expect(await invoices.count()).toBe(4);
  const { rows } = await invoices.pool.query('select action, tenant, object from chronawflow.audit_outbox');
  expect(rows).toEqual([{ action: 'idempotency.replayed', tenant: 'a', object: 'POST /invoices/quick/k1' }]);
});

test('Fastify: 400 without or with a wrong key, 422 for another payload, as problem documents', async () => {
  const ask = await listening(idempotentServer(invoices.pool).app);
  await ask('/invoices/quick', { key: '"k1"' });
  const answers = [
    await ask('/invoices/quick'),
    await ask('/invoices/quick', { key: 'k1' }),
    await ask('/invoices/quick', { key: '"k1"', body: { amount: 6 } }),
    await ask('/invoices/quick?draft=yes', { key: '"k1"' }),
  ];
  for (const answer of answers)
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await Promise.all(answers.map((answer) => answer.json()))).toMatchObject([
    { status: 400, title: 'Bad Request', code: 'IDEMPOTENCY_KEY_MISSING' },
    { status: 400, title: 'Bad Request', code: 'IDEMPOTENCY_KEY_INVALID' },
    {
      status: 422,
      title: 'Unprocessable Content',
      code: 'IDEMPOTENCY_KEY_REUSED',
      type: 'https://api.example.org/idempotency',
    },
    { status: 422 },
  ]);
  expect(await invoices.count()).toBe(1);
});

test('Fastify: 409 while the first request runs, longer than its lease too, and its response after that', async () => {
  // Three renewals a lease, so it is renewed soon, and a busy machine does not keep all of them.
  const ask = await listening(idempotentServer(invoices.pool, 9_000).app);
  const first = ask('/invoices/slow', { key: '"k1"' });
  await begun('k1');
  await until(async () => (await ask('/invoices/slow', { key: '"k1"' })).status === 409);
  const lease = await invoices.pool.query<{ until: string }>(
    'select lease_until as until from chronawflow.idempotency',
  );
  await until(
    async () =>
      (
        await invoices.pool.query('select from chronawflow.idempotency where lease_until > $1', [
          lease.rows[0]?.until,
        ])
      ).rowCount === 1,
    { what: 'the lease to be renewed' },
  );
  const running = await ask('/invoices/slow', { key: '"k1"' });
  expect([running.status, running.headers.get('retry-after')]).toEqual([409, '1']);
  expect(await running.json()).toMatchObject({ title: 'Conflict', code: 'EXECUTION_RUNNING' });
  await invoices.pool.query('insert into go default values');
  const body = await (await first).text();
  expect(await (await ask('/invoices/slow', { key: '"k1"' })).text()).toBe(body);
  expect(await invoices.count()).toBe(1);
});

test('Fastify: of many at once one is carried out', async () => {
  const ask = await listening(idempotentServer(invoices.pool).app);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask('/invoices/quick', { key: '"k1"' })),
  );
  for (const { status } of answers) expect([201, 409]).toContain(status);
  expect(answers.some(({ status }) => status === 201)).toBe(true);
  expect(await invoices.count()).toBe(1);
});

test('a handler that does not complete has its answer recorded before it is sent; errors may be tried again', async () => {
  const app = Fastify();
  const once = idempotencyHooks({ idempotency: new IdempotencyManager(invoices.pool), tenant: () => 'a' });
  let tries = 0;
  app.post<{ Params: { status: string } }>('/answer/:status', once, async (request, reply) => {
    tries += 1;
    await insert(invoices.pool);
    return reply.code(Number(request.params.status)).header('x-own', '1').send({ tries });
  });
  app.post('/large', once, async () => {
    tries += 1;
    return 'x'.repeat(2_000_000);
  });
  const ask = await listening(app);
  for (const status of [200, 202, 404, 422]) {
    const first = await (await ask(`/answer/${status}`, { key: '"k"' })).json();
    const again = await ask(`/answer/${status}`, { key: '"k"' });
    expect([again.status, await again.json()]).toEqual([status, first]);
  }
  expect(tries).toBe(4);
  for (const status of [429, 500, 503]) {
    expect((await ask(`/answer/${status}`, { key: '"k"' })).status).toBe(status);
    await until(async () => (await ask(`/answer/${status}`, { key: '"k"' })).status === status);
  }
  expect(tries).toBeGreaterThanOrEqual(10);
  const before = tries;
  expect((await ask('/large', { key: '"k"' })).status).toBe(200);
  const lost = await ask('/large', { key: '"k"' });
  expect([lost.status, await lost.json()]).toMatchObject([409, { code: 'RESPONSE_NOT_KEPT' }]);
  expect(tries).toBe(before + 1);
});

test('a transaction that is rolled back after it completed leaves nothing, and the request may be tried again', async () => {
  const app = Fastify();
  const once = idempotencyHooks({ idempotency: new IdempotencyManager(invoices.pool), tenant: () => 'a' });
  let fail = true;
  app.post('/pay', once, async (request, reply) => {
    const response = await inTransaction(invoices.pool, async (tx) => {
      await insert(tx);
      const done = await once.of(request)?.complete(tx, jsonResponse(201, { paid: true }));
      if (fail) throw new RangeError('after all');
      return done;
    });
    return reply.code(201).send(response?.body);
  });
  const ask = await listening(app);
  expect((await ask('/pay', { key: '"k"' })).status).toBe(500);
  expect(await invoices.count()).toBe(0);
  fail = false;
  await until(async () => (await ask('/pay', { key: '"k"' })).status === 201);
  expect(await invoices.count()).toBe(1);
});

test('Express: once, 400, 409, 422, and the same answer again', async () => {
  const app = express();
  const once = idempotencyMiddleware({
    idempotency: new IdempotencyManager(invoices.pool),
    tenant: (request: express.Request) => request.get('x-tenant'),
    acceptBare: true,
  });
  app.use(express.json(), once);
  app.post('/in-transaction', async (request, response) => {
    const done = await inTransaction(invoices.pool, async (tx) => {
      await insert(tx);
      return once.of(request)?.complete(tx, jsonResponse(201, { done: true }));
    });
    response.status(201).set(done?.headers).send(done?.body);
  });
  app.post('/after', async (_, response) => {
    await insert(invoices.pool);
    if ((await invoices.pool.query('select from go')).rowCount === 0)
      await until(async () => (await invoices.pool.query('select from go')).rowCount === 1);
    response.status(202).json({ after: true });
  });
  app.post('/stream', (_, response) => {
    response.write('one ');
    response.end('two');
  });
  const ask = await serving(createServer(app));
  const first = await ask('/in-transaction', { key: 'bare-key' });
  expect([first.status, await first.json()]).toEqual([201, { done: true }]);
  const again = await ask('/in-transaction', { key: '"bare-key"' });
  expect([again.status, await again.json(), again.headers.get('idempotency-replayed')]).toEqual([
    201,
    { done: true },
    'true',
  ]);
  expect((await ask('/in-transaction')).status).toBe(400);
  expect((await ask('/in-transaction', { key: 'bare-key', body: { other: 1 } })).status).toBe(422);
  const waiting = ask('/after', { key: 'k' });
  await begun('k');
  await until(async () => (await ask('/after', { key: 'k' })).status === 409);
  await invoices.pool.query('insert into go default values');
  expect(await (await waiting).json()).toEqual({ after: true });
  const after = await ask('/after', { key: 'k' });
  expect([after.status, await after.json()]).toEqual([202, { after: true }]);
  expect(await (await ask('/stream', { key: 'k' })).text()).toBe('one two');
  expect((await ask('/stream', { key: 'k' })).status).toBe(409);
  expect(await invoices.count()).toBe(2);
});
