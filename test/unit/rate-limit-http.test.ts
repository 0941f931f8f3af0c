import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fc from 'fast-check';
import Fastify from 'fastify';
import { Metrics } from '../../core/metrics';
import {
  AdaptiveRateLimiter,
  rateLimitHeaders,
  rateLimitHook,
  rateLimitMiddleware,
} from '../../core/rate-limit';

const limiterOf = (limit: number) =>
  new AdaptiveRateLimiter({ rule: { kind: 'fixed-window', limit, window: '1m' }, metrics: new Metrics() });

test('Fastify: the fields of the draft on every answer, 429 with a problem document at the limit', async () => {
  const app = Fastify();
  app.addHook(
    'onRequest',
    rateLimitHook({
      limiter: limiterOf(2),
      tenant: (request: { readonly headers: Record<string, string | string[] | undefined> }) =>
        String(request.headers['x-tenant']),
    }),
  );
  app.get('/', async () => 'ok');
  const ask = () => app.inject({ url: '/', headers: { 'x-tenant': 'acme' } });
  const first = await ask();
  expect(first.statusCode).toBe(200);
  expect(first.headers['ratelimit-policy']).toBe('"default";q=2;w=60');
  expect(first.headers.ratelimit).toBe('"default";r=1;t=60');
  await ask();
  const refused = await ask();
  expect(refused.statusCode).toBe(429);
  expect(refused.headers['retry-after']).toMatch(/^(59|60)$/);
  expect(refused.headers['content-type']).toContain('application/problem+json');
  expect(refused.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
  await app.close();
});

test('Express: the fields on every answer, 429 at the limit, and an error of the caller in its error handler', async () => {
  const app = express();
  app.use(
    rateLimitMiddleware({
      limiter: limiterOf(2),
      tenant: (request: express.Request) => request.get('x-tenant'),
      resource: (request) => (request.path === '/export' ? 'export' : 'default'),
      cost: (request) => (request.query.cost === undefined ? 1 : Number(request.query.cost)),
    }),
  );
  app.get('/{*any}', (_, response) => {
    response.send('answered');
  });
  app.use((error: Error, _: express.Request, response: express.Response, __: express.NextFunction) => {
    response.status(400).send(error.message);
  });
  await overLoopback(createServer(app), async (ask) => {
    const first = await ask('/', 'acme');
    expect([first.status, await first.text()]).toEqual([200, 'answered']);
    expect(first.headers.get('ratelimit-policy')).toBe('"default";q=2;w=60');
    expect(first.headers.get('ratelimit')).toBe('"default";r=1;t=60');
    await ask('/', 'acme');
    const refused = await ask('/', 'acme');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^(59|60)$/);
    expect(refused.headers.get('ratelimit')).toMatch(/^"default";r=0;t=(59|60)$/);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
    // Another resource and another tenant have limits of their own; who has no tenant has none.
    expect((await ask('/export', 'acme')).headers.get('ratelimit')).toBe('"export";r=1;t=60');
    expect((await ask('/', 'birch')).status).toBe(200);
    expect((await ask('/')).headers.get('ratelimit')).toBeNull();
    const broken = await ask('/?cost=none', 'birch');
    expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining('cost')]);
  });
});

test('node:http: the same, and an error of the caller reaches next()', async () => {
  const middleware = rateLimitMiddleware({
    limiter: limiterOf(1),
    tenant: () => 'acme',
    cost: (request: { readonly url?: string }) => (request.url === '/broken' ? Number.NaN : 1),
  });
  const server = createServer((request, response) => {
    middleware(request, response, (error) => {
      response.statusCode = error === undefined ? 200 : 500;
      response.end();
    });
  });
  await overLoopback(server, async (ask) => {
    expect((await ask('/broken')).status).toBe(500);
    expect((await ask('/')).headers.get('ratelimit')).toBe('"default";r=0;t=60');
    expect((await ask('/')).status).toBe(429);
  });
});

async function overLoopback(
  server: Server,
  use: (ask: (path: string, tenant?: string) => Promise<Response>) => Promise<void>,
): Promise<void> {
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await use((path, tenant) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        headers: tenant === undefined ? {} : { 'x-tenant': tenant },
      }),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a rounding error of the clock is not another second', async () => {
  const decision = await limiterOf(1).checkRateLimit('acme');
  const told = rateLimitHeaders('default', { ...decision, resetMs: 60_000.000000000007 });
  expect(told.RateLimit).toMatch(/;t=60$/);
  expect(rateLimitHeaders('default', { ...decision, resetMs: 60_001 }).RateLimit).toMatch(/;t=61$/);
});

test('a resource name of any characters stays one structured field', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.double({ min: 0, noNaN: true }), (resource, remaining) => {
      const decision = {
        allowed: false,
        limit: 10,
        remaining: Math.min(remaining, 10),
        resetMs: 1_500,
        retryAfterMs: Number.POSITIVE_INFINITY,
        windowMs: 1,
        reason: 'exceeded',
      } as const;
      const headers = rateLimitHeaders(resource, decision);
      expect(headers.RateLimit).toMatch(/^"([\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+";r=\d+;t=2$/);
      expect(headers['RateLimit-Policy']).toMatch(/;q=10;w=1$/);
      // Waiting does not help against a cost above the limit.
      expect(headers).not.toHaveProperty('Retry-After');
    }),
    { numRuns: 50 },
  );
});
