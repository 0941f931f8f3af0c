/**
 * One process of a fleet with a shared limit: sends the load that it is told to and prints what was admitted, a line
 * `<milliseconds since 1970> <units>` for each millisecond, so that nothing is lost when it is killed. The program of
 * `rate-limit-fleet.ts`.
 */

import { z } from 'zod';
import { rateRule } from '../../config';
import { AdaptiveRateLimiter, GlobalRateLimits } from '../../core/rate-limit';

const orders = z.object({
  connection: z.object({ host: z.string(), port: z.number(), database: z.string(), user: z.string() }),
  rule: rateRule,
  /** Requests a millisecond. */
  load: z.number(),
});

const STEP_MS = 2;
const FLUSH_MS = 20;
/** A process that was stopped makes up for it in several steps: what one step asks is noted down only at its end. */
const MOST_A_STEP = 100;

function main(): void {
  const { connection, rule, load } = orders.parse(JSON.parse(process.argv[2] ?? ''));
  const global = new GlobalRateLimits({ connection });
  const limiter = new AdaptiveRateLimiter({ rule, global });
  const admitted = new Map<number, number>();
  let asked = 0;
  let owed = 0;
  let last = performance.now();
  const loader = setInterval(() => {
    const now = performance.now();
    owed += (now - last) * load;
    last = now;
    for (let n = 0; owed >= 1 && n < MOST_A_STEP; n += 1, owed -= 1) {
      asked += 1;
      // A rule that another one has come before begins with what that has granted.
      void limiter.checkRateLimit('tenant', rule.kind).then(({ allowed }) => {
        if (!allowed) return;
        const at = Date.now();
        admitted.set(at, (admitted.get(at) ?? 0) + 1);
      });
    }
  }, STEP_MS);
  const flush = () => {
    const lines = [...admitted].map(([at, units]) => `${at} ${units}\n`).join('');
    admitted.clear();
    if (lines !== '') process.stdout.write(lines);
  };
  const flusher = setInterval(flush, FLUSH_MS);
  process.stdin.once('data', async () => {
    clearInterval(loader);
    clearInterval(flusher);
    const statistics = global.statistics();
    await global.close();
    flush();
    process.stdout.write(`done ${JSON.stringify({ ...statistics, asked })}\n`, () => process.exit());
  });
  process.on('unhandledRejection', (error) => {
    process.stderr.write(`unhandled rejection: ${String(error)}\n`);
    process.exit(3);
  });
  process.stdout.write('ready\n');
}

main();
