import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { TemporalLink } from '../../client/temporal-link';
import { temporalConfig } from '../../config/temporal';
import { CleanUp } from '../support/clean-up';
import { startTcpSwitch } from '../support/tcp-switch';
import { startTemporal } from '../support/temporal-server';
import { until } from '../support/until';

const cleanUp = new CleanUp();
afterEach(() => cleanUp.run());

/** Ends each connection at once, so that every request through it is to be tried again. */
async function startRefusing(): Promise<{ readonly port: number; refused(): number }> {
  let refused = 0;
  const server = createServer((socket) => {
    refused += 1;
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.add(() => new Promise((resolve) => server.close(resolve)));
  // Listening on a TCP port, so it is an address and no path.
  const { port } = server.address() as AddressInfo;
  return { port, refused: () => refused };
}

// What nobody can catch fails the test: Jest listens for it.
test('a client that is closed while Temporal is away ends its requests, and not the process', async () => {
  const temporal = await startTemporal();
  cleanUp.add(() => temporal.stop());
  const network = await startTcpSwitch(Number(temporal.address.split(':')[1]));
  cleanUp.add(() => network.stop());
  const away = await startRefusing();

  const link = await TemporalLink.open(temporalConfig.parse({ address: `127.0.0.1:${network.port}` }));
  expect(await link.isRunning('nobody')).toBe(false);
  network.lead(away.port);
  const requests = ['a', 'b', 'c'].map((id) => link.isRunning(id).catch((error: unknown) => error));
  await until(() => away.refused() > 0, { what: 'a request to be refused' });
  await link.close();
  for (const ended of await Promise.all(requests)) expect(ended).toMatchObject({ code: 'CLIENT_CLOSED' });
  // One that is made afterwards, too.
  await expect(link.isRunning('d')).rejects.toMatchObject({ code: 'CLIENT_CLOSED' });
});
