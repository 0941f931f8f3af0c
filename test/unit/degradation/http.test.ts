import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import {
  type Classified,
  type LoadSheddingOptions,
  loadSheddingHooks,
  loadSheddingMiddleware,
} from '../../../core/degradation/http';
import { LevelView } from '../../../core/degradation/process/level-view';
import { InvalidInputError } from '../../../core/errors';
import { BOOKS, policyWith } from '../../support/degradation-policy';
import { until } from '../../support/until';

const classify = ({ url = '', method }: { url?: string; method?: string }): Classified | undefined => {
  const feature = url.split('/')[1] ?? '';
  return feature === 'healthz' ? undefined : { feature, writes: method === 'POST' };
};

/** A level by hand, and what the hooks tell of the requests. */
function stage(rank: number, readOnly = false) {
  const view = new LevelView(policyWith(BOOKS), () => 0);
  view.enter(rank, readOnly ? { by: 'ada', reason: 'failover' } : undefined, false);
  const noted: string[] = [];
  const degradation: LoadSheddingOptions<object>['degradation'] = {
    admit: (request) => view.admit(request),
    note: (outcome) => noted.push(outcome),
  };
  return { noted, degradation };
}

const queueWrite = async () => ({ status: 202, body: { job: 'post-entry/7' } });

const fails = (error: Error) => async () => {
  throw error;
};

async function withFastify(options: LoadSheddingOptions<{ url: string; method: string }>) {
  const app = fastify();
  const shedding = loadSheddingHooks(options);
  app.addHook('onRequest', shedding.onRequest);
  app.addHook('preHandler', shedding.preHandler);
  app.addHook('onResponse', shedding.onResponse);
  app.all('/*', async ({ url }, reply) => reply.code(url.endsWith('broken') ? 500 : 200).send({ ok: true }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: app.addresses()[0]?.port, close: () => app.close() };
}

async function withExpress(options: LoadSheddingOptions<{ url: string; method: string }>) {
  const app = express();
  app.use(loadSheddingMiddleware(options));
  app.use((request, response) => {
    response.status(request.url.endsWith('broken') ? 500 : 200).json({ ok: true });
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // Listening on a TCP port, so it is an address and no path.
  const { port } = server.address() as AddressInfo;
  return { port, close: async () => void server.close() };
}

describe.each([
  ['Fastify', withFastify],
  ['Express', withExpress],
])('%s', (_, serve) => {
  test('turns away what the level sheds, with when to come again, and serves the rest', async () => {
    const { noted, degradation } = stage(1);
    const { port, close } = await serve({ degradation, classify });
    const ask = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    try {
      const refused = await ask('/exports/1');
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('20');
      expect(refused.headers.get('content-type')).toContain('application/problem+json');
      expect(await refused.json()).toMatchObject({ code: 'LOAD_SHED', level: 'reduced', status: 503 });
      expect((await ask('/reports/1')).status).toBe(200);
      expect((await ask('/sign-in', 'POST')).status).toBe(200);
      expect((await ask('/reports/broken')).status).toBe(500);
      expect((await ask('/healthz')).status).toBe(200);
      await until(() => noted.length >= 3, { what: 'the served requests to be noted' });
      expect(noted.toSorted()).toEqual(['answered', 'answered', 'failed']);
    } finally {
      await close();
    }
  });

  test('answers a write with 503 while writes are refused, or puts it into the queue', async () => {
    const { degradation } = stage(0, true);
    let told = 0;
    for (const [options, status, body] of [
      [{}, 503, { code: 'WRITES_REFUSED' }],
      [{ queueWrite }, 202, { job: 'post-entry/7' }],
      [{ queueWrite: async () => undefined }, 503, { code: 'WRITES_REFUSED' }],
      [
        { queueWrite: fails(new Error('the queue is away')), onError: () => told++ },
        503,
        { code: 'WRITES_REFUSED' },
      ],
    ] as const) {
      const { port, close } = await serve({ degradation, classify, ...options });
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/post-entry`, { method: 'POST' });
        expect(answer.status).toBe(status);
        expect(await answer.json()).toMatchObject(body);
        expect((await fetch(`http://127.0.0.1:${port}/post-entry`)).status).toBe(200);
      } finally {
        await close();
      }
    }
    expect(told).toBe(1);
  });

  test('leaves a write that the queue refuses for good to the application', async () => {
    const { degradation } = stage(0, true);
    const { port, close } = await serve({
      degradation,
      classify,
      queueWrite: fails(new InvalidInputError('there is no such account')),
    });
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/post-entry`, { method: 'POST' });
      expect(answer.status).toBe(500);
    } finally {
      await close();
    }
  });
});
