/** Decides about one hot key as fast as it can for some time and prints how often; the program of `limiter-hot.ts`. */
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import { z } from 'zod';
import { AdaptiveRateLimiter, GlobalRateLimits } from '../../core/rate-limit';
import { createPool } from '../../database';
import { MeasurementInvalidError } from '../support/measurement-invalid-error';

const orders = z.object({
  side: z.enum(['chronawflow', 'rate-limiter-flexible']),
  connection: z.object({ host: z.string(), port: z.number(), database: z.string(), user: z.string() }),
  ms: z.number(),
});

const LIMIT = 1e9;
/** More callers than connections, so that these are always busy. */
const CALLERS = 16;
const CONNECTIONS = 4;
/** A caller that never waits would never let the process's timers run. */
const BREATHE_EVERY = 1_000;

type Decide = () => Promise<boolean>;

async function open(
  order: z.infer<typeof orders>,
): Promise<{ readonly decide: Decide; readonly close: () => Promise<void> }> {
  if (order.side === 'chronawflow') {
    const global = new GlobalRateLimits({ connection: order.connection });
    const rule = { kind: 'fixed-window', limit: LIMIT, window: '10m', global: { localShare: 0.25 } } as const;
    const limiter = new AdaptiveRateLimiter({ rule, global });
    const decide = async () => {
      const { allowed, reason } = await limiter.checkRateLimit('hot');
      return allowed && reason === 'within';
    };
    return { decide, close: () => global.close() };
  }
  const pool = createPool(order.connection, { applicationName: 'bench', max: CONNECTIONS });
  const limiter = await new Promise<RateLimiterPostgres>((resolve, reject) => {
    const made: RateLimiterPostgres = new RateLimiterPostgres(
      { storeClient: pool, points: LIMIT, duration: 600, tableName: 'rlf' },
      (error?: Error) => (error ? reject(error) : resolve(made)),
    );
  });
  return { decide: () => limiter.consume('hot').then(() => true), close: () => pool.end() };
}

async function main(): Promise<void> {
  const order = orders.parse(JSON.parse(process.argv[2] ?? ''));
  const { decide, close } = await open(order);
  let admitted = 0;
  let refused = 0;
  const call = async (until: number) => {
    for (let n = 1; performance.now() < until; n += 1) {
      if (await decide()) admitted += 1;
      else refused += 1;
      if (n % BREATHE_EVERY === 0) await new Promise(setImmediate);
    }
  };
  const all = (ms: number) => {
    const until = performance.now() + ms;
    return Promise.all(Array.from({ length: CALLERS }, () => call(until)));
  };
  await all(1_000);
  admitted = 0;
  refused = 0;
  const began = performance.now();
  await all(order.ms);
  const seconds = (performance.now() - began) / 1_000;
  if (admitted === 0) throw new MeasurementInvalidError(`${order.side} admitted nothing`);
  process.stdout.write(`${JSON.stringify({ perSecond: admitted / seconds, refused })}\n`);
  await close();
}

void main();
