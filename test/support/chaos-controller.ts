import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { loadConfig } from '../../config';
import { chaosPrograms, endFault, injectFault } from '../../core/chaos';
import { messageOf } from '../../core/errors';
import { chaosHost } from '../../workers/chaos-host';

/** A controller that can be killed: injects, renews, and rolls back after half of the duration. Prints what it has reached. */
const request = z.strictObject({
  leaseId: z.string(),
  driver: z.string(),
  target: z.string(),
  parameters: z.looseObject({}).default({}),
  durationMs: z.number(),
  termMs: z.number(),
});

async function main(): Promise<void> {
  const wanted = request.parse(JSON.parse(process.argv[2] ?? ''));
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const { host, close } = chaosHost(loadConfig(), quiet);
  const programs = chaosPrograms(join(__dirname, '..', '..', 'dist', 'workers'));
  const lease = await injectFault(host, programs, { experiment: 'chaos/test/1', ...wanted });
  console.log('injected');
  const half = performance.now() + wanted.durationMs / 2;
  while (performance.now() < half) {
    await host.journal.renew(lease.id);
    await sleep(100);
  }
  await endFault(host, lease, { by: 'controller', reason: 'rolled-back' });
  console.log('rolled back');
  await close();
}

// Whoever started it is dead.
process.stdin.on('end', () => process.exit(1)).resume();
main()
  .catch((error: unknown) => {
    console.log(`failed: ${messageOf(error)}`);
    process.exitCode = 1;
  })
  .finally(() => process.stdin.destroy());
