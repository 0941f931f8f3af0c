import { createServer } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the caller does. */
export function freePort(): Promise<number> {
  return listenOnce(0);
}

/** True when nobody listens on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  );
}

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new TypeError('a TCP server has no port'));
      });
    });
  });
}
