import { applyMigrations } from '../../database';
import { startPostgres } from '../../test/support/real-postgres';
import { startToxiproxy } from '../../test/support/toxiproxy';
import type { Bench, Measured } from '../support/run-benchmark';
import { measureAccuracy } from './limiter-accuracy';
import { measureHotKey } from './limiter-hot';

const DATABASE = 'platform';

/** The limit over all processes: how fast, and how exact. */
export async function measureGlobalLimiter(bench: Bench): Promise<Measured> {
  // Commits are durable, as in production: a lease is worth nothing when a crash forgets it.
  const postgres = await startPostgres({ tcp: true, settings: { fsync: true, full_page_writes: true } });
  bench.cleanUp.add(() => postgres.stop());
  await applyMigrations(await postgres.createDatabase(DATABASE), 'platform');
  const toxiproxy = await startToxiproxy();
  bench.cleanUp.add(() => toxiproxy.stop());
  const proxies = await Promise.all([0, 1, 2, 3].map(() => toxiproxy.proxy(`127.0.0.1:${postgres.port}`)));
  const connection = postgres.connection(DATABASE);
  const hot = await measureHotKey(bench, connection);
  const accuracy = await measureAccuracy(bench, connection, proxies);
  return { text: `${hot.text}\n\n${accuracy.text}`, figures: { ...hot.figures, ...accuracy.figures } };
}
