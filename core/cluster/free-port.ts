import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the caller does. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new TypeError('the system gave no port');
  return port;
}

/**
 * Below the ranges from which Linux (32768), macOS and Windows (49152) take ports for outgoing connections: one of
 * those could take a server's port while the server is being restarted.
 */
const FIRST = 20_000;
const LAST = 32_767;
const ATTEMPTS = 10_000;

/** Several at once, all different: each is held until the last one is found. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    for (let attempt = 0; held.size < count; attempt++) {
      if (attempt > ATTEMPTS) throw new RangeError(`no free port between ${FIRST} and ${LAST}`);
      const port = randomInt(FIRST, LAST + 1);
      const probe = held.has(port) ? undefined : await tryListen(port);
      if (probe !== undefined) held.set(port, probe);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map(close));
  }
}

/** True when nobody listens on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  const probe = await tryListen(port);
  if (probe === undefined) return false;
  await close(probe);
  return true;
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(probe));
  });
}

function close(probe: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    probe.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
