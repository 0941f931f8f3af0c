import { createServer } from 'node:http';
import { startBooksLoad } from '../support/books-load';
import { RunningClock } from '../support/running-clock';
import { standStill } from '../support/stand-still';
import { until } from '../support/until';

test('time in which the process stood still is not time in which it ran', async () => {
  const clock = new RunningClock();
  const before = clock.stopsSoFar();
  const begun = performance.now();
  const ran = clock.run(1_000);
  standStill(2_000);
  await ran;
  clock.stop();
  expect(performance.now() - begun).toBeGreaterThan(2_500);
  expect(clock.stopsSoFar()).toBeGreaterThan(before);
});

test('a load leaves out what it cannot judge, and counts what is refused', async () => {
  let status = 200;
  let stillMs = 0;
  const server = createServer((_, response) => {
    // In the middle of a request; longer than a user waits.
    if (stillMs > 0) standStill(stillMs);
    stillMs = 0;
    response.statusCode = status;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const load = startBooksLoad([typeof address === 'object' && address !== null ? address.port : 0]);
  try {
    await until(() => load.take().core.answered > 0, { what: 'the first answers' });
    for (let nth = 0; nth < 2; nth += 1) {
      stillMs = 3_000;
      await until(() => stillMs === 0, { what: 'the next request' });
      await load.run(500);
    }
    const { core } = load.take();
    expect(core.asked).toBeGreaterThan(0);
    expect(core.answered).toBe(core.asked);
    status = 500;
    await until(
      () => {
        const { core: refused } = load.take();
        return refused.asked > 0 && refused.answered === 0;
      },
      { what: 'refusals to be counted' },
    );
  } finally {
    await load.stop();
    await new Promise((resolve) => server.close(resolve));
  }
});
