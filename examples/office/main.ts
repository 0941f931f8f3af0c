#!/usr/bin/env node
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../config';
import { openOffice } from './office';
import { answerFor } from './routes';

/** The office's process: README.md. Reads the configuration whose ways lead through Toxiproxy. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'metrics-port': { type: 'string' } } });
  const office = await openOffice(loadConfig());
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://office');
    void answerFor(office, request.method ?? 'GET', url).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  server.listen(Number(values['metrics-port']), '127.0.0.1');
  process.once('SIGTERM', () => {
    server.close();
    server.closeAllConnections();
    void office.close().then(() => process.exit(0));
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
