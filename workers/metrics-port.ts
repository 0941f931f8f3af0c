import type { Registry } from 'prom-client';
import { hasCode, InvalidInputError } from '../core/errors';
import type { HealthMonitor } from '../core/health';
import { type MetricsServer, serveMetrics } from './metrics-server';

/** The port that was asked for, by the option or by CHRONAWFLOW_METRICS_PORT. @throws InvalidInputError */
export function readMetricsPort(option: string | undefined): number | undefined {
  const given = option ?? process.env.CHRONAWFLOW_METRICS_PORT;
  const port = given === undefined ? undefined : Number(given);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new InvalidInputError(`'${given}' is no port.`, {
      hint: 'Give a number from 0 (any free one) to 65535.',
    });
  }
  return port;
}

/** Several processes may share a host: the usual port is for the first one, the others take any. */
export async function serveOnFreePort(
  registry: Registry,
  health: HealthMonitor,
  port: number | undefined,
  usual: number,
): Promise<MetricsServer> {
  if (port !== undefined) return serveMetrics(registry, health, port);
  try {
    return await serveMetrics(registry, health, usual);
  } catch (error) {
    if (!hasCode(error, 'EADDRINUSE')) throw error;
    return serveMetrics(registry, health, 0);
  }
}
