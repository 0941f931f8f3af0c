import Fastify from 'fastify';
import type { Pool } from 'pg';
import { IdempotencyManager, idempotencyHooks, jsonResponse, sendResponse } from '../../core/idempotency';
import { createPool, inTransaction } from '../../database';

/** Milliseconds that nobody may take over a killed process's request. */
const LEASE_MS = 1_000;

/** An API over table `invoice (id, tenant, amount)`. `POST /slow/…` waits in its transaction until the row in `go` is there. */
export function idempotentServer(pool: Pool, leaseMs = LEASE_MS) {
  const app = Fastify();
  const idempotency = new IdempotencyManager(pool, { leaseMs });
  type Asked = { readonly headers: Record<string, string | string[] | undefined> };
  const once = idempotencyHooks({
    idempotency,
    tenant: (request: Asked) => String(request.headers['x-tenant'] ?? 'a'),
    documentation: 'https://api.example.org/idempotency',
  });
  const invoice = async (tenant: string, body: unknown, slow: boolean, request: Asked) =>
    inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ id: number }>(
        'insert into invoice (tenant, body) values ($1, $2) returning id',
        [tenant, JSON.stringify(body)],
      );
      if (slow) await tx.query(WAIT);
      const response = jsonResponse(201, { id: rows[0]?.id }, { location: `/invoices/${rows[0]?.id}` });
      const run = once.of(request);
      return run === undefined ? response : run.complete(tx, response);
    });
  app.post<{ Params: { kind: string } }>('/invoices/:kind', once, async (request, reply) => {
    const tenant = String(request.headers['x-tenant'] ?? 'a');
    const slow = request.params.kind === 'slow';
    return sendResponse(reply, await invoice(tenant, request.body, slow, request));
  });
  return { app, once };
}

/** Until somebody lets it go on, at most a minute; in the database, so that it holds in another process. */
const WAIT = `do $$ begin
  for n in 1..1200 loop
    exit when exists (select from go);
    perform pg_sleep(0.05);
  end loop;
end $$`;

async function main(): Promise<void> {
  const connection = JSON.parse(process.env.IDEMPOTENT_SERVER ?? '{}');
  const { app } = idempotentServer(createPool(connection, { applicationName: 'idempotent server', max: 10 }));
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  process.stdout.write(`${address}\n`);
}

if (require.main === module) void main();
