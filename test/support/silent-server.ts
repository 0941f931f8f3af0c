import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { CleanUp } from './clean-up';

/** Takes connections and never answers. @returns "host:port" */
export async function silentServer(cleanUp: CleanUp): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  cleanUp.add(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return `127.0.0.1:${address.port}`;
}
