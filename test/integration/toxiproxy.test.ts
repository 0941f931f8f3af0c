import { existsSync } from 'node:fs';
import { Client } from 'pg';
import { type RealPostgres, startPostgres } from '../support/real-postgres';
import { startToxiproxy, type ToxicProxy, type Toxiproxy } from '../support/toxiproxy';
import { until } from '../support/until';

describe('the network that tests can break', () => {
  let postgres: RealPostgres;
  let toxiproxy: Toxiproxy;
  let proxy: ToxicProxy;

  beforeAll(async () => {
    [postgres, toxiproxy] = await Promise.all([startPostgres({ tcp: true }), startToxiproxy()]);
    proxy = await toxiproxy.proxy(`127.0.0.1:${postgres.port}`);
  });

  afterAll(async () => {
    await toxiproxy?.stop();
    await postgres?.stop();
    expect(existsSync(toxiproxy.directory)).toBe(false);
  });

  beforeEach(() => toxiproxy.reset());

  async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = new Client({
      ...postgres.connection('postgres'),
      host: proxy.host,
      port: proxy.port,
      ssl: false,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
    const started = performance.now();
    await work();
    return performance.now() - started;
  }

  it('slows a connection while the toxic is there', async () => {
    await withClient(async (client) => {
      const remove = await proxy.add({ type: 'latency', attributes: { latency: 700 } });
      expect(await millisecondsOf(() => client.query('select 1'))).toBeGreaterThan(650);
      await remove();
      await until(async () => (await millisecondsOf(() => client.query('select 1'))) < 650, {
        what: 'an answer without the latency',
      });
    });
  });

  it('resets a connection, and swallows what is sent', async () => {
    await withClient(async (client) => {
      await proxy.add({ type: 'reset_peer', attributes: { timeout: 0 } });
      await expect(client.query('select 1')).rejects.toThrow();
    });
    await toxiproxy.reset();
    await withClient(async (client) => {
      await proxy.add({ type: 'timeout', attributes: { timeout: 0 } }, { stream: 'upstream' });
      const outcome = await Promise.race([
        client.query('select 1').then(
          () => 'answered',
          () => 'failed',
        ),
        new Promise((resolve) => setTimeout(() => resolve('silent'), 500)),
      ]);
      expect(outcome).toBe('silent');
      await proxy.disable();
    });
  });

  it('refuses connections while the proxy is disabled', async () => {
    await proxy.disable();
    await expect(withClient((client) => client.query('select 1'))).rejects.toThrow(/ECONNREFUSED/);
    await proxy.enable();
    await withClient(async (client) => expect((await client.query('select 1')).rowCount).toBe(1));
  });

  it('says what the server refused', async () => {
    const remove = await proxy.add({ type: 'bandwidth', attributes: { rate: 1000 } });
    await remove();
    await expect(remove()).rejects.toThrow(/refused DELETE .* with status 404: .*not found/);
  });
});
