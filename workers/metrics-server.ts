import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';
import { type HealthMonitor, healthAnswer } from '../core/health';

export interface MetricsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever watches the process. Port 0 takes a free one. */
export async function serveMetrics(
  registry: Registry,
  health: HealthMonitor,
  port: number,
  host = '0.0.0.0',
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    const answer = request.method === 'GET' ? healthAnswer(path ?? '', health) : undefined;
    if (answer !== undefined) {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
      return;
    }
    if (request.method !== 'GET' || path !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await listen(server, port, host);
  // Whoever scrapes must not keep a worker alive that wants to end.
  server.unref();
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
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
