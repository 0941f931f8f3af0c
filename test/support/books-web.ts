/**
 * One web process of AccuBooks: posting an entry, taking a payment and signing in are core; a report asks another service while
 * it reads. Its arguments are one JSON object; it prints its port, and ends when its input ends. The program of `books-fleet.ts`.
 */
import fastify from 'fastify';
import { z } from 'zod';
import { loadConfig } from '../../config';
import { Degradation, loadSheddingHooks } from '../../core/degradation';
import { bulkhead, type Policy, pipeline, timeout } from '../../core/protection';
import { createPool, inTransaction } from '../../database';
import { OFFICE_WORK, seededRandom } from '../../examples/accubooks';

const orders = z.object({
  name: z.string(),
  database: z.object({ host: z.string(), port: z.number(), database: z.string(), user: z.string() }),
  /** Base URL of the service that reports ask. */
  dependency: z.string(),
  organisations: z.array(z.string()),
  /** chronawflow.yaml; without it the process runs without the platform. */
  configFile: z.string().optional(),
  seed: z.number(),
});

const CORE: Readonly<Record<string, string>> = {
  'post-entry': 'post-invoice',
  'take-payment': 'receive-payment',
  'sign-in': 'sign-in',
};

/** Connections of the process, and how long a request waits for one. */
const CONNECTIONS = 8;
const WAIT_MS = 1_500;

async function main(): Promise<void> {
  const { name, database, dependency, organisations, configFile, seed } = orders.parse(
    JSON.parse(process.argv[2] ?? ''),
  );
  const pool = createPool(database, {
    applicationName: name,
    max: CONNECTIONS,
    connectTimeoutMs: WAIT_MS,
    sessionSettings: { search_path: 'public' },
  });
  const random = seededRandom(seed);
  const app = fastify();
  const degradation = configFile === undefined ? undefined : await startLevels(configFile, name);
  let guard: Policy = { execute: async (call, signal = new AbortController().signal) => call(signal) };
  if (degradation !== undefined) {
    const shedding = loadSheddingHooks<{ url: string; method: string }>({
      degradation,
      classify: ({ url, method }) => ({ feature: url.split('/')[1], writes: method === 'POST' }),
    });
    app.addHook('onRequest', shedding.onRequest);
    app.addHook('onResponse', shedding.onResponse);
    guard = pipeline(
      bulkhead({ name: 'reports', concurrency: 3 }),
      timeout({ limit: '2s', scale: degradation.timeoutScale }),
    );
  }
  for (const [feature, workName] of Object.entries(CORE)) {
    const work = OFFICE_WORK.find((one) => one.name === workName);
    if (work === undefined) throw new Error(`AccuBooks has no work ${workName}`);
    app.post(`/${feature}`, async () => {
      const organisationId = organisations[Math.floor(random() * organisations.length)] ?? '';
      const today = new Date().toISOString().slice(0, 10);
      await inTransaction(pool, (tx) => work.run(tx, { organisationId, today, random }));
      return { done: feature };
    });
  }
  app.get('/reports', () =>
    guard.execute((signal) =>
      // As careless as such code is: the connection waits with it for the other service.
      inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<{ net: string }>(
          'select coalesce(sum(net), 0)::text as net from invoices',
        );
        const rate = await fetch(dependency, { signal });
        return { net: rows[0]?.net, rate: await rate.json() };
      }),
    ),
  );
  await app.listen({ port: 0, host: '127.0.0.1' });
  process.stdout.write(`${JSON.stringify({ port: app.addresses()[0]?.port })}\n`);
  process.stdin.resume().once('end', async () => {
    await degradation?.close();
    process.exit();
  });
}

function startLevels(configFile: string, name: string): Promise<Degradation> {
  return Degradation.start(loadConfig({ configFile }), { name });
}

void main();
