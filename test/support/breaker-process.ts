/**
 * One process of a fleet with a shared breaker: calls a service every few milliseconds and prints what its breaker
 * does. Its orders are lines on standard input: `down` and `up` for the service as this process sees it, `stop`. The
 * program of `breaker-fleet.ts`.
 */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { BreakerRegistry, SharedBreakers } from '../../core/protection';
import { createPool } from '../../database';

const orders = z.object({
  connection: z.object({ host: z.string(), port: z.number(), database: z.string(), user: z.string() }),
  breakFor: z.number(),
});

const KEY = { service: 'tax', operation: 'rate', tenant: 'acme' };
const CALL_EVERY_MS = 5;

const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`);

function main(): void {
  const { connection, breakFor } = orders.parse(JSON.parse(process.argv[2] ?? ''));
  const pool = createPool(connection, { applicationName: 'breaker fleet', max: 2, connectTimeoutMs: 5_000 });
  const registry = new BreakerRegistry({
    breaker: { consecutiveFailures: 3, breakFor, jitter: 0, probes: 1, closeOver: 0 },
  });
  const shared = new SharedBreakers(pool, registry, {
    interval: 100,
    lease: '2s',
    // A process takes its votes out within twice this time, or leaves them to lapse.
    statementLimit: 2_000,
    onReach: ({ reachable }) => say({ reachable }),
  });
  registry.onTransition(({ to }) => say({ kind: to.kind, reason: 'reason' in to ? to.reason : undefined }));
  let down = false;
  let calls = 0;
  const service = async () => {
    if (down) throw new Error('the service is down');
  };
  const caller = setInterval(() => {
    // A refusal and a failure are both an end of the call; what the breaker does is printed above.
    registry
      .get(KEY)
      .execute(service)
      .catch(() => undefined)
      .then(() => {
        calls += 1;
      });
  }, CALL_EVERY_MS);
  const reporter = setInterval(() => say({ calls }), 100);
  createInterface(process.stdin).on('line', async (line) => {
    if (line !== 'stop') {
      down = line === 'down';
      return;
    }
    clearInterval(caller);
    clearInterval(reporter);
    await shared.stop();
    await pool.end();
    process.exit();
  });
  process.on('unhandledRejection', (error) => {
    process.stderr.write(`unhandled rejection: ${String(error)}\n`);
    process.exit(3);
  });
  shared.start();
  say({ kind: 'closed', observer: shared.observer });
}

main();
