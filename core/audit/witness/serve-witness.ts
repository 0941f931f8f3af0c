import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Witness } from './witness';

export interface WitnessServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A checkpoint with many signatures and the longest proof have some 100 KB. */
const MAX_BODY = 512 * 1024;

/** `POST /add-checkpoint`, and `GET /healthz` for whoever watches the process. Port 0 takes a free one. */
export async function serveWitness(
  witness: Witness,
  {
    port,
    host,
    onError,
  }: { readonly port: number; readonly host: string; readonly onError: (error: unknown) => void },
): Promise<WitnessServer> {
  const server = createServer(async (request, response) => {
    try {
      if (request.method === 'GET' && request.url === '/healthz') {
        response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
        return;
      }
      if (request.method !== 'POST' || request.url?.split('?')[0] !== '/add-checkpoint') {
        response.writeHead(404).end();
        return;
      }
      const body = await readBody(request);
      if (body === undefined) {
        response.writeHead(413, { connection: 'close' }).end();
        return;
      }
      const answer = await witness.addCheckpoint(body);
      response.writeHead(answer.status, { 'content-type': answer.contentType }).end(answer.body);
    } catch (error) {
      onError(error);
      response.writeHead(500).end();
    }
  });
  server.requestTimeout = 30_000;
  await listen(server, port, host);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeIdleConnections();
      }),
  };
}

/** Undefined when it is longer than a request can be. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
