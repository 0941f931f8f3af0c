import { createServer, type RequestListener, type Server } from 'node:http';
import { TaxRates, TaxServiceError } from '../../examples/accubooks';
import { until } from '../support/until';

/** AccuBooks' tax rates beside real HTTP servers that answer, fail, hang and are not there. */

class TaxServer {
  requests = 0;
  answer: RequestListener = (_, response) => response.end('{"percent": 19}');
  private readonly server: Server = createServer((request, response) => {
    this.requests += 1;
    this.answer(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const servers: TaxServer[] = [];
const percent =
  (value: number): RequestListener =>
  (_, response) =>
    response.end(`{"percent": ${value}}`);
const status =
  (code: number): RequestListener =>
  (_, response) =>
    response.writeHead(code).end();
const hang: RequestListener = () => undefined;

async function scene(limit: string | number = '20s') {
  const [first, second] = [new TaxServer(), new TaxServer()];
  servers.push(first, second);
  const rates = new TaxRates({
    url: await first.start(),
    secondUrl: await second.start(),
    breaker: { consecutiveFailures: 3, breakFor: '5m' },
    limit,
  });
  return { first, second, rates };
}
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

test('the service’s own answer is the primary one', async () => {
  const { rates } = await scene();
  expect(await rates.percentFor('acme', 'DE')).toEqual({ value: 19, level: 'primary' });
});

test('a service that fails is tried again, then the second one is asked, and its breaker opens', async () => {
  const { first, second, rates } = await scene();
  first.answer = status(503);
  second.answer = percent(20);
  expect(await rates.percentFor('acme', 'FR')).toMatchObject({ value: 20, level: 'second-service' });
  expect(first.requests).toBe(3);
  expect(rates.breakers.get({ service: 'tax', operation: 'rate', tenant: 'acme' }).isOpen()).toBe(true);
  await rates.percentFor('acme', 'FR');
  expect(first.requests).toBe(3);
});

test('one organisation’s open breaker is not another’s', async () => {
  const { first, rates } = await scene();
  first.answer = status(500);
  await rates.percentFor('acme', 'DE');
  first.answer = percent(19);
  expect(await rates.percentFor('birch', 'DE')).toMatchObject({ level: 'primary' });
});

test('both services hanging, the remembered rate is given with its age, in bounded time', async () => {
  const { first, second, rates } = await scene(1_500);
  // On a busy machine an answer may be later than the limit.
  await until(async () => (await rates.percentFor('acme', 'DE')).level === 'primary');
  first.answer = hang;
  second.answer = hang;
  const answer = await rates.percentFor('acme', 'DE');
  expect(answer).toMatchObject({ value: 19, level: 'cached', cause: { code: 'TIMEOUT_EXCEEDED' } });
  expect(answer.staleMs).toBeGreaterThan(0);
});

test('with no service and nothing remembered the standard rate serves, and says so', async () => {
  const { first, second, rates } = await scene();
  await first.stop();
  await second.stop();
  servers.splice(0);
  expect(await rates.percentFor('acme', 'DE')).toMatchObject({ value: 20, level: 'standard-rate' });
});

test('a country without a rate is an answer: nothing is tried again and nothing stands in', async () => {
  const { first, second, rates } = await scene();
  first.answer = status(404);
  await expect(rates.percentFor('acme', 'XX')).rejects.toThrow(TaxServiceError);
  expect([first.requests, second.requests]).toEqual([1, 0]);
  expect(rates.breakers.get({ service: 'tax', operation: 'rate', tenant: 'acme' }).getState().failed).toBe(0);
});

test('who gives up ends the request as well', async () => {
  const { first, rates } = await scene();
  const closed = new Promise<void>((resolve) => {
    first.answer = (request) => request.once('close', resolve);
  });
  const abort = new AbortController();
  const answer = rates.percentFor('acme', 'DE', abort.signal);
  while (first.requests === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort(new Error('the user went away'));
  await expect(answer).rejects.toThrow('the user went away');
  await closed;
});
