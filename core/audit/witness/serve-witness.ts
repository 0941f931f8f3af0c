import { createServer } from 'node:http';
import { type Listening, listen, readBody } from '../../http-server';
import type { Witness } from './witness';

export type WitnessServer = Listening;

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
      const body = await readBody(request, MAX_BODY);
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
  return listen(server, { port, host }, 'answered');
}
