import { createServer, type Server } from 'node:net';

/** A TCP port of 127.0.0.1 that nobody listens on now. Another process may take it before the caller does. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new TypeError('the system gave no port');
  return port;
}

/** Several at once, all different: each is held until the last one is found. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = probes.map(portOf);
  await Promise.all(probes.map(close));
  return ports;
}

/** True when nobody listens on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(probe));
  });
}

function portOf(probe: Server): number {
  const address = probe.address();
  if (typeof address !== 'object' || address === null) throw new TypeError('a TCP server has no port');
  return address.port;
}

function close(probe: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    probe.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
