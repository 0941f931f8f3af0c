import type { Server } from 'node:http';

/** A server that takes requests until it is closed. */
export interface Listening {
  /** Where it was found, when 0 was asked for. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * @param underWay what becomes of requests that are under way when it is closed: they are answered first, or cut off
 */
export async function listen(
  server: Server,
  { port, host }: { readonly port: number; readonly host: string },
  underWay: 'answered' | 'cut off',
): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        if (underWay === 'answered') server.closeIdleConnections();
        else server.closeAllConnections();
      }),
  };
}
