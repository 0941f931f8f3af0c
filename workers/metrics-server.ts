import { createServer } from 'node:http';
import type { Registry } from 'prom-client';
import { type HealthMonitor, healthAnswer } from '../core/health';
import { type Listening, listen } from '../core/http-server';

export type MetricsServer = Listening;

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
  const listening = await listen(server, { port, host }, 'cut off');
  // Whoever scrapes must not keep a worker alive that wants to end.
  server.unref();
  return listening;
}
